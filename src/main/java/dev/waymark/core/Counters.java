package dev.waymark.core;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * One total per {@link Counter} and per {@link CloseReason}. Written by one shard's thread,
 * readable from any.
 */
public final class Counters {
  private static final int COUNTERS = Counter.values().length;

  private final AtomicLongArray totals =
      new AtomicLongArray(COUNTERS + CloseReason.values().length);

  /** Adds; the one writer only. */
  void add(Counter counter, long amount) {
    int index = counter.ordinal();
    // One writer: a plain read and an opaque write need no locked instruction.
    totals.setOpaque(index, totals.getPlain(index) + amount);
  }

  /** Counts one connection closed for this reason; the one writer only. */
  void addClosed(CloseReason reason) {
    int index = COUNTERS + reason.ordinal();
    totals.setOpaque(index, totals.getPlain(index) + 1);
  }

  /** The total so far; any thread. */
  public long total(Counter counter) {
    return totals.getOpaque(counter.ordinal());
  }

  /** Connections closed for this reason so far; any thread. */
  public long closed(CloseReason reason) {
    return totals.getOpaque(COUNTERS + reason.ordinal());
  }
}
