package dev.waymark.engine.pool;

import dev.waymark.engine.connection.Evidence;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The state of one upstream that all shards of a pool share: how many connections it has, and
 * whether a shard has set it apart for suspects (rule 3). Thread-safe, without locks. Its times
 * come from a clock that all shards share; their own clocks stop while they stand still.
 */
final class ProbationSite {
  /** A claim lapses if it is not renewed for this long: its shard may be standing still. */
  static final long CLAIM_NS = 1_000_000_000L;

  /** How long a site that was passed on is reserved for another shard: several ticks. */
  private static final long PASSED_NS = 300_000_000L;

  /** When an upstream dies, the lanes of all shards break within this time. */
  private static final long DEATH_NS = 1_000_000_000L;

  /** One attachment: the upper half counts all so far, the lower half the current ones. */
  private static final long ATTACHED = (1L << 32) + 1;

  private static final int NOBODY = -1;

  private record Claim(int shard, long endNs) {
    boolean isOver(long nowNs) {
      return endNs - nowNs <= 0;
    }
  }

  /** How long a process may keep working on bytes of a connection that has left it. */
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

  /** A shard attaches a connection. */
  void attached() {
    attachments.addAndGet(ATTACHED);
  }

  /** A connection has left it. */
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
   * @return false if another shard has set it apart
   */
  boolean claim(int shard) {
    long nowNs = nowNs();
    Claim now = claim.get();
    boolean isFree = now == null || now.shard == shard || now.shard == NOBODY || now.isOver(nowNs);
    return isFree && claim.compareAndSet(now, new Claim(shard, nowNs + CLAIM_NS));
  }

  /**
   * Ends this shard's claim, but stays set apart for a moment so that another shard may claim it.
   */
  void pass(int shard) {
    Claim now = claim.get();
    if (now != null && now.shard == shard) {
      claim.compareAndSet(now, new Claim(NOBODY, nowNs() + PASSED_NS));
    }
  }

  /** Ends this shard's claim: the upstream serves all connections again. */
  void release(int shard) {
    Claim now = claim.get();
    if (now != null && now.shard == shard) {
      claim.compareAndSet(now, null);
    }
  }

  // --- outputs ---

  /** The time of the shared clock. */
  long nowNs() {
    return clockNs.getAsLong();
  }

  /** Whether only suspects may be attached. */
  boolean isSetApart() {
    Claim now = claim.get();
    return now != null && !now.isOver(nowNs());
  }

  /** Whether, as far as is known, any shard may claim it. */
  boolean isFree() {
    Claim now = claim.get();
    return now == null || now.shard == NOBODY || now.isOver(nowNs());
  }

  /** Whether no shard has a connection there now. */
  boolean isEmpty() {
    return (int) attachments.get() == 0;
  }

  /** Whether it is empty, and no connection has left unconsumed bytes behind lately. */
  boolean isClean() {
    return isEmpty() && isFreeOfLeftovers(LEFTOVER_NS);
  }

  /** Whether it is empty, and poison that was left behind would have killed it by now. */
  boolean isUnused() {
    return isEmpty() && isFreeOfLeftovers(Evidence.ROUND_NS_MAX);
  }

  private boolean isFreeOfLeftovers(long forNs) {
    Moment last = lastLeftover;
    return last == null || nowNs() - last.atNs > forNs;
  }

  /**
   * The value that {@link #stamp} will have after one more connection is attached, as long as no
   * other comes or goes.
   */
  long stampOfOneMore() {
    return attachments.get() + ATTACHED;
  }

  /** Changes with every connection that comes or goes. */
  long stamp() {
    return attachments.get();
  }

  /**
   * Whether a lane that was opened at this time leads to the current process. If lanes of other
   * shards have just broken, it may be about to break for the same reason.
   */
  boolean isSettled(long openedNs) {
    Moment last = lastBreak;
    return last == null || openedNs - last.atNs >= 0 || nowNs() - last.atNs > DEATH_NS;
  }
}
