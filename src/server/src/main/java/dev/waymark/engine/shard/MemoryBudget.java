package dev.waymark.engine.shard;

import dev.waymark.engine.base.Limits;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;

/**
 * The memory budget of the process, and how much of it all shards use: client and reply bytes, and
 * {@link Limits#bufferOverheadBytes} for each of their buffers (rule 10). Thread-safe; shards
 * report once per turn, and whenever they hold much more.
 */
public final class MemoryBudget {
  /** Reading resumes below this share of the budget, so that it does not flap. */
  private static final double RESUME_SHARE = 0.9;

  /** From this share on, the connections with the longest reply queues are closed. */
  private static final double HARD_SHARE = 1.25;

  /** After this long over the budget, the largest connections are closed until it is met again. */
  static final long OVER_NS_MAX = 2_000_000_000L;

  /** A shard that holds this much more than it has reported reports within its turn. */
  static final long UNREPORTED_BYTES_MAX = 1024 * 1024;

  /** While memory is short, the budget is divided by this. */
  private static final int SHORT_DIVISOR = 4;

  private final long budgetBytes;
  private final BooleanSupplier isShort;
  private final AtomicLong usedBytes = new AtomicLong();

  public MemoryBudget(long budgetBytes) {
    this(budgetBytes, () -> false);
  }

  /**
   * @param isShort whether less memory is left than the budget assumes; called often, by every
   *     shard
   */
  public MemoryBudget(long budgetBytes, BooleanSupplier isShort) {
    this.budgetBytes = budgetBytes;
    this.isShort = isShort;
  }

  void add(long bytes) {
    usedBytes.addAndGet(bytes);
  }

  /**
   * Counts these bytes as free, if the process holds at least the mark; the caller then frees them.
   * Shards that free at the same time never free for the same excess.
   *
   * @return false if the process holds less, and nothing has to be freed
   */
  boolean free(long bytes, long markBytes) {
    long used = usedBytes.get();
    while (used >= markBytes) {
      if (usedBytes.compareAndSet(used, used - bytes)) {
        return true;
      }
      used = usedBytes.get();
    }
    return false;
  }

  /** The bytes that all shards hold, as they last reported. */
  public long usedBytes() {
    return usedBytes.get();
  }

  /** The configured {@link Limits#memoryBudgetBytes}. */
  public long budgetBytes() {
    return budgetBytes;
  }

  /** What may be held now: the budget, or a part of it while memory is short. */
  public long limitBytes() {
    return isShort.getAsBoolean() ? budgetBytes / SHORT_DIVISOR : budgetBytes;
  }

  /** Whether more than {@link #limitBytes} is held, as shards last reported. */
  public boolean isOver() {
    return usedBytes.get() > limitBytes();
  }

  boolean hasRecovered() {
    return usedBytes.get() < resumeBytes();
  }

  boolean isFarOver() {
    return usedBytes.get() >= hardBytes();
  }

  /** Reading resumes below this. */
  long resumeBytes() {
    return (long) (limitBytes() * RESUME_SHARE);
  }

  /** From here on, the connections with the longest reply queues are closed at once. */
  long hardBytes() {
    return (long) (limitBytes() * HARD_SHARE);
  }
}
