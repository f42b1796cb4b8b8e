package dev.waymark.engine.pool;

import dev.waymark.engine.connection.Evidence;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One upstream as all shards of a pool see it: how many connections they have given it, and whether
 * one of them has set it apart for suspects (rule 3). Thread-safe, without locks. Its times come
 * from a clock that all shards share; their own clocks stop while they stand still.
 */
final class ProbationSite {
  /** A claim lapses if it is not renewed for this long: its shard may be standing still. */
  static final long CLAIM_NS = 1_000_000_000L;

  /** How long a site that was passed on is kept for another shard: several ticks. */
  private static final long PASSED_NS = 300_000_000L;

  /** When an upstream dies, the lanes of all shards break within this time. */
  private static final long DEATH_NS = 1_000_000_000L;

  /** One attachment: the upper half counts all so far, the lower half those of now. */
  private static final long ATTACHED = (1L << 32) + 1;

  private static final int NOBODY = -1;

  private record Claim(int shard, long endNs) {
    boolean isOver(long nowNs) {
      return endNs - nowNs <= 0;
    }
  }

  /** How long a process may still work on bytes of a connection that has left it. */
  private static final long LEFTOVER_NS = 1_000_000_000L;

  private record Moment(long atNs) {}

  private final LongSupplier clockNs;
  private final AtomicLong attachments = new AtomicLong();
  private final AtomicReference<@Nullable Claim> claim = new AtomicReference<>();
  private volatile @Nullable Moment lastBreak;
  private volatile @Nullable Moment lastLeftover;

  ProbationSite(LongSupplier clockNs) {
    this.clockNs = clockNs;
  }

  // --- inputs ---

  /** A shard gives the upstream a connection. */
  void attached() {
    attachments.addAndGet(ATTACHED);
  }

  /** The connection has left it. */
  void detached() {
    attachments.decrementAndGet();
  }

  /** A lane to it that had worked broke. */
  void broken() {
    lastBreak = new Moment(nowNs());
  }

  /** A connection leaves bytes behind that may be poison. */
  void leftover() {
    lastLeftover = new Moment(nowNs());
  }

  /**
   * Sets the upstream apart for this shard, until {@link #CLAIM_NS} after the last call.
   *
   * @return false: another shard has it
   */
  boolean claim(int shard) {
    long nowNs = nowNs();
    Claim now = claim.get();
    boolean isFree = now == null || now.shard == shard || now.shard == NOBODY || now.isOver(nowNs);
    return isFree && claim.compareAndSet(now, new Claim(shard, nowNs + CLAIM_NS));
  }

  /** Stays set apart for a moment, so that another shard with suspects may claim it. */
  void pass(int shard) {
    Claim now = claim.get();
    if (now != null && now.shard == shard) {
      claim.compareAndSet(now, new Claim(NOBODY, nowNs() + PASSED_NS));
    }
  }

  /** Serves everybody again. */
  void release(int shard) {
    Claim now = claim.get();
    if (now != null && now.shard == shard) {
      claim.compareAndSet(now, null);
    }
  }

  // --- outputs ---

  /** The shared time. */
  long nowNs() {
    return clockNs.getAsLong();
  }

  /** Only suspects may be attached. */
  boolean isSetApart() {
    Claim now = claim.get();
    return now != null && !now.isOver(nowNs());
  }

  /** As far as is known, any shard may claim it. */
  boolean isFree() {
    Claim now = claim.get();
    return now == null || now.shard == NOBODY || now.isOver(nowNs());
  }

  /** No shard has a connection there now. */
  boolean isEmpty() {
    return (int) attachments.get() == 0;
  }

  /** And none has left bytes there lately. */
  boolean isClean() {
    return isEmpty() && isFreeOfLeftovers(LEFTOVER_NS);
  }

  /** And none has left bytes there for so long that poison would have worked by now. */
  boolean isUnused() {
    return isEmpty() && isFreeOfLeftovers(Evidence.ROUND_NS_MAX);
  }

  private boolean isFreeOfLeftovers(long forNs) {
    Moment last = lastLeftover;
    return last == null || nowNs() - last.atNs > forNs;
  }

  /**
   * What {@link #stamp} is after one connection was attached to an empty site, as long as it stays
   * the only one.
   */
  long stampOfOneMore() {
    return attachments.get() + ATTACHED;
  }

  /** Changes with every connection that comes or goes. */
  long stamp() {
    return attachments.get();
  }

  /**
   * Whether a lane that was opened at that shared time leads to the process that runs now. If lanes
   * of other shards have just broken, it may be about to break for the same reason.
   */
  boolean isSettled(long openedNs) {
    Moment last = lastBreak;
    return last == null || openedNs - last.atNs >= 0 || nowNs() - last.atNs > DEATH_NS;
  }
}
