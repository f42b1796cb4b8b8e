package dev.waymark.core;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * One total per {@link Counter}, {@link CloseReason} and {@link PushResult.Outcome}. Written by one
 * shard's thread, readable from any.
 */
public final class Counters {
  private static final int COUNTERS = Counter.values().length;

  private static final int REASONS = CloseReason.values().length;

  private final AtomicLongArray totals =
      new AtomicLongArray(COUNTERS + REASONS + PushResult.Outcome.values().length);

  /** Adds; the one writer only. */
  void add(Counter counter, long amount) {
    add(counter.ordinal(), amount);
  }

  /** Counts one connection closed for this reason; the one writer only. */
  void addClosed(CloseReason reason) {
    add(COUNTERS + reason.ordinal(), 1);
  }

  /** Counts one push of the upstream that was answered; the one writer only. */
  void addPush(PushResult.Outcome outcome) {
    add(COUNTERS + REASONS + outcome.ordinal(), 1);
  }

  private void add(int index, long amount) {
    // One writer: a plain read and an opaque write need no locked instruction.
    totals.setOpaque(index, totals.getPlain(index) + amount);
  }

  /** The total so far; any thread. */
  public long total(Counter counter) {
    return totals.getOpaque(counter.ordinal());
  }

  /** Connections closed for this reason so far; any thread. */
  public long closed(CloseReason reason) {
    return totals.getOpaque(COUNTERS + reason.ordinal());
  }

  /** Pushes of the upstream answered so; any thread. */
  public long pushes(PushResult.Outcome outcome) {
    return totals.getOpaque(COUNTERS + REASONS + outcome.ordinal());
  }
}
