package dev.waymark.core;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * One total per {@link Counter}, {@link CloseReason}, {@link Reopen.Cause} and {@link
 * PushResult.Outcome}, and how long pauses were. Written by one shard's thread, readable from any.
 */
public final class Counters {
  /** Upper bounds of {@link #pauses}, in nanoseconds; what is longer is counted last. */
  private static final long[] PAUSE_BOUNDS_NS = {
    1_000_000L,
    5_000_000L,
    10_000_000L,
    25_000_000L,
    50_000_000L,
    100_000_000L,
    250_000_000L,
    500_000_000L,
    1_000_000_000L,
    2_500_000_000L,
    5_000_000_000L,
    10_000_000_000L,
    30_000_000_000L
  };

  private static final int COUNTERS = Counter.values().length;
  private static final int CLOSED = COUNTERS;
  private static final int MOVED = CLOSED + CloseReason.values().length;
  private static final int PAUSES = MOVED + Reopen.Cause.values().length;
  private static final int PAUSE_SUM = PAUSES + PAUSE_BOUNDS_NS.length + 1;
  private static final int PUSHES = PAUSE_SUM + 1;

  private final AtomicLongArray totals =
      new AtomicLongArray(PUSHES + PushResult.Outcome.values().length);

  /** Adds; the one writer only. */
  void add(Counter counter, long amount) {
    add(counter.ordinal(), amount);
  }

  /** Counts one connection closed for this reason; the one writer only. */
  void addClosed(CloseReason reason) {
    add(CLOSED + reason.ordinal(), 1);
  }

  /** Counts one connection that left its owner for this cause; the one writer only. */
  void addMoved(Reopen.Cause cause) {
    add(MOVED + cause.ordinal(), 1);
  }

  /** Counts one push of the upstream that was answered; the one writer only. */
  void addPush(PushResult.Outcome outcome) {
    add(PUSHES + outcome.ordinal(), 1);
  }

  /** One connection was without an owner that served it for so long; the one writer only. */
  void addPause(long pauseNs) {
    int bucket = 0;
    while (bucket < PAUSE_BOUNDS_NS.length && pauseNs > PAUSE_BOUNDS_NS[bucket]) {
      bucket++;
    }
    add(PAUSES + bucket, 1);
    add(PAUSE_SUM, pauseNs);
  }

  /** The total so far; any thread. */
  public long total(Counter counter) {
    return totals.getOpaque(counter.ordinal());
  }

  /** Connections closed for this reason so far; any thread. */
  public long closed(CloseReason reason) {
    return totals.getOpaque(CLOSED + reason.ordinal());
  }

  /** Connections that left an owner for this cause so far; any thread. */
  public long moved(Reopen.Cause cause) {
    return totals.getOpaque(MOVED + cause.ordinal());
  }

  /** Upper bounds of the buckets of {@link #pauses}, in nanoseconds, ascending. */
  public static long[] pauseBoundsNs() {
    return PAUSE_BOUNDS_NS.clone();
  }

  /**
   * Pauses so far by their length, one count for each bound and one for what is longer than all;
   * any thread.
   */
  public long[] pauses() {
    long[] counts = new long[PAUSE_BOUNDS_NS.length + 1];
    for (int bucket = 0; bucket < counts.length; bucket++) {
      counts[bucket] = totals.getOpaque(PAUSES + bucket);
    }
    return counts;
  }

  /** All pauses so far, together; any thread. */
  public long pauseSumNs() {
    return totals.getOpaque(PAUSE_SUM);
  }

  private void add(int index, long amount) {
    // One writer: a plain read and an opaque write need no locked instruction.
    totals.setOpaque(index, totals.getPlain(index) + amount);
  }

  /** Pushes of the upstream answered so; any thread. */
  public long pushes(PushResult.Outcome outcome) {
    return totals.getOpaque(PUSHES + outcome.ordinal());
  }
}
