package dev.waymark.bridge;

import java.util.function.LongSupplier;

/**
 * Whether the memory outside the heap runs short. Once it does, it stays so until half as much
 * again is left as has to be spared, so that connections are made to give enough back. Thread-safe.
 */
final class DirectMemory {
  private final long limitBytes;
  private final long spareBytes;
  private final LongSupplier usedBytes;
  private volatile boolean isShort;

  /**
   * @param usedBytes asked each time; -1 where nobody counts
   */
  DirectMemory(MemoryLimits limits, LongSupplier usedBytes) {
    this.limitBytes = limits.directBytes();
    this.spareBytes = limits.spareBytes();
    this.usedBytes = usedBytes;
  }

  /** Asked by every shard, many times a turn. */
  boolean isShort() {
    long leftBytes = limitBytes - usedBytes.getAsLong();
    boolean wasShort = isShort;
    boolean isNow = leftBytes < (wasShort ? spareBytes + spareBytes / 2 : spareBytes);
    if (isNow != wasShort) {
      isShort = isNow;
    }
    return isNow;
  }
}
