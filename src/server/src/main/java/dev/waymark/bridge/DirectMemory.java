package dev.waymark.bridge;

import java.util.function.LongSupplier;

/**
 * Whether direct memory is short: less than the spare bytes are left. Once short, it remains so
 * until half as much again is left, so that connections have to give back enough. Thread-safe.
 */
final class DirectMemory {
  private final long limitBytes;
  private final long spareBytes;
  private final LongSupplier usedBytes;
  private volatile boolean isShort;

  /**
   * @param usedBytes returns the direct memory in use, or -1 if it is not counted
   */
  DirectMemory(MemoryLimits limits, LongSupplier usedBytes) {
    this.limitBytes = limits.directBytes();
    this.spareBytes = limits.spareBytes();
    this.usedBytes = usedBytes;
  }

  /** Called by every shard, many times per turn. */
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
