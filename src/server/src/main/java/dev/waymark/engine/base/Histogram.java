package dev.waymark.engine.base;

import java.util.concurrent.atomic.AtomicLongArray;
import java.util.stream.LongStream;

/** Counts durations by their length. Written by one thread, readable from any. */
public final class Histogram {
  private final long[] boundsNs;

  /** One count for each bucket, one for longer durations, and the sum. */
  private final AtomicLongArray totals;

  /**
   * @param boundsNs upper bounds of the buckets, in nanoseconds, ascending
   */
  public Histogram(long... boundsNs) {
    this.boundsNs = boundsNs.clone();
    this.totals = new AtomicLongArray(boundsNs.length + 2);
  }

  /**
   * A histogram with buckets up to 1, 2.5 and 5 times each power of ten within these bounds.
   *
   * @param minNs the lowest bound: 1, 2.5 or 5 times a power of ten, at least 10 ns
   * @param maxNs the highest bound is this or the next one below it
   */
  public static Histogram between(long minNs, long maxNs) {
    var boundsNs = LongStream.builder();
    for (long decadeNs = 10; decadeNs <= maxNs; decadeNs *= 10) {
      boundsNs.add(decadeNs).add(decadeNs * 5 / 2).add(decadeNs * 5);
    }
    return new Histogram(
        boundsNs.build().filter(boundNs -> boundNs >= minNs && boundNs <= maxNs).toArray());
  }

  /** Counts one duration. Called by the writer thread only. */
  public void add(long durationNs) {
    int bucket = 0;
    while (bucket < boundsNs.length && durationNs > boundsNs[bucket]) {
      bucket++;
    }
    add(bucket, 1);
    add(boundsNs.length + 1, durationNs);
  }

  /** Upper bounds of the buckets, in nanoseconds, ascending. Any thread. */
  public long[] boundsNs() {
    return boundsNs.clone();
  }

  /** One count for each bucket, and one for longer durations. Any thread. */
  public long[] counts() {
    long[] counts = new long[boundsNs.length + 1];
    for (int bucket = 0; bucket < counts.length; bucket++) {
      counts[bucket] = totals.getOpaque(bucket);
    }
    return counts;
  }

  /** The sum of all durations, in nanoseconds. Any thread. */
  public long sumNs() {
    return totals.getOpaque(boundsNs.length + 1);
  }

  /** The number of durations counted. Any thread. */
  public long count() {
    long sum = 0;
    for (long count : counts()) {
      sum += count;
    }
    return sum;
  }

  private void add(int index, long amount) {
    // One writer: a plain read and an opaque write need no locked instruction.
    totals.setOpaque(index, totals.getPlain(index) + amount);
  }
}
