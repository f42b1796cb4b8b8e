package dev.waymark.core;

import java.util.concurrent.atomic.AtomicLong;

/**
 * How many client and reply bytes the process holds, over all shards, with {@link
 * Limits#pieceBytes} for each piece of them (rule 10). Thread-safe; shards report once per turn,
 * and whenever they hold much more.
 */
public final class MemoryBudget {
  /** Reading resumes under this share of the budget, so that it does not flap. */
  private static final double RESUME_SHARE = 0.9;

  /** Over this share the largest reply queues are given up. */
  private static final double SHED_SHARE = 1.25;

  /**
   * Over the budget for longer than this, the largest connections are given up until it is under
   * again.
   */
  static final long OVER_NS_MAX = 2_000_000_000L;

  /** So much more than a shard has reported is reported within its turn too. */
  static final long UNREPORTED_BYTES_MAX = 1024 * 1024;

  private final long budgetBytes;
  private final AtomicLong usedBytes = new AtomicLong();

  public MemoryBudget(long budgetBytes) {
    this.budgetBytes = budgetBytes;
  }

  void add(long bytes) {
    usedBytes.addAndGet(bytes);
  }

  /** What all shards hold, as they last reported. */
  public long usedBytes() {
    return usedBytes.get();
  }

  /** The limit {@link Limits#memoryBudgetBytes}. */
  public long budgetBytes() {
    return budgetBytes;
  }

  boolean isOver() {
    return usedBytes.get() > budgetBytes;
  }

  boolean isUnderAgain() {
    return usedBytes.get() < (long) (budgetBytes * RESUME_SHARE);
  }

  boolean isFarOver() {
    return usedBytes.get() > (long) (budgetBytes * SHED_SHARE);
  }

  /**
   * A shard holds its share of the resume level or more: of all shards at least one does, while the
   * process is not under it.
   */
  boolean isShareOver(long shardBytes, int shards) {
    return shardBytes * shards >= (long) (budgetBytes * RESUME_SHARE);
  }
}
