package dev.waymark.engine.pool;

import dev.waymark.engine.connection.Evidence;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One upstream as all shards of a pool see it together: how many connections they have given it,
 * and whether one of them has set it apart to try suspects there (rule 3). Thread-safe, without
 * locks; its times are those of a clock that all shards share, not of theirs, which stand still
 * when they do.
 */
final class ProbationSite {
  /** A claim that is not renewed for so long has lapsed: its shard may stand still. */
  static final long CLAIM_NS = 1_000_000_000L;

  /** How long a site that was passed on stays set apart for another shard: several ticks. */
  private static final long PASSED_NS = 300_000_000L;

  /** Lanes of other shards to an upstream that died break within this time. */
  private static final long DEATH_NS = 1_000_000_000L;

  /** One connection attached: one more so far in the upper half, one more now in the lower. */
  private static final long ATTACHED = (1L << 32) + 1;

  private static final int NOBODY = -1;

  private record Claim(int shard, long endNs) {
    boolean isOver(long nowNs) {
      return endNs - nowNs <= 0;
    }
  }

  /** How long a process may go on with bytes of a connection that has left it. */
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

  /** A lane to it broke that had worked. */
  void broken() {
    lastBreak = new Moment(nowNs());
  }

  /** A connection leaves it, and bytes of it that may be poison stay. */
  void leftover() {
    lastLeftover = new Moment(nowNs());
  }

  /**
   * Sets the upstream apart for this shard; to be repeated within {@link #CLAIM_NS}.
   *
   * @return false: another shard has it
   */
  boolean claim(int shard) {
    long nowNs = nowNs();
    Claim now = claim.get();
    boolean isFree = now == null || now.shard == shard || now.shard == NOBODY || now.isOver(nowNs);
    return isFree && claim.compareAndSet(now, new Claim(shard, nowNs + CLAIM_NS));
  }

  /** It stays set apart for a moment, for another shard that has suspects. */
  void pass(int shard) {
    Claim now = claim.get();
    if (now != null && now.shard == shard) {
      claim.compareAndSet(now, new Claim(NOBODY, nowNs() + PASSED_NS));
    }
  }

  /** It is an upstream like the others again. */
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

  /** It is to be given no connections but suspects. */
  boolean isSetApart() {
    Claim now = claim.get();
    return now != null && !now.isOver(nowNs());
  }

  /** This shard may claim it, for all that is known. */
  boolean isFree() {
    Claim now = claim.get();
    return now == null || now.shard == NOBODY || now.isOver(nowNs());
  }

  /** No shard has a connection there. */
  boolean isEmpty() {
    return (int) attachments.get() == 0;
  }

  /** And none had lately that left bytes there. */
  boolean isClean() {
    return isEmpty() && isFreeOfLeftovers(LEFTOVER_NS);
  }

  /** And none had for so long that poison among them would have worked. */
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

  /** Differs from what it was if any connection has come or gone since. */
  long stamp() {
    return attachments.get();
  }

  /**
   * Whether a lane that was opened then, by the shared time, is one to the process that runs now:
   * where lanes of other shards have just broken, it may be about to break for the same reason.
   */
  boolean isSettled(long openedNs) {
    Moment last = lastBreak;
    return last == null || openedNs - last.atNs >= 0 || nowNs() - last.atNs > DEATH_NS;
  }
}
