package dev.waymark.e2e.chaos;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * A histogram of durations, with eight buckets per power of two, and the exact maximum.
 * Thread-safe; of fixed size.
 */
final class Latencies {
  private static final int PARTS_LOG2 = 3;
  private static final int PARTS = 1 << PARTS_LOG2;

  private final AtomicLongArray buckets = new AtomicLongArray(Long.SIZE * PARTS);
  private final AtomicLong count = new AtomicLong();
  private final AtomicLong maxNs = new AtomicLong();

  void add(long ns) {
    buckets.incrementAndGet(bucket(Math.max(0, ns)));
    count.incrementAndGet();
    maxNs.accumulateAndGet(ns, Math::max);
  }

  long count() {
    return count.get();
  }

  long maxMs() {
    return maxNs.get() / 1_000_000;
  }

  /** Returns the upper end, in ms, of the bucket that holds this quantile. */
  double quantileMs(double share) {
    long rank = (long) Math.ceil(share * count.get());
    long seen = 0;
    for (int i = 0; i < buckets.length(); i++) {
      seen += buckets.get(i);
      if (seen >= rank && seen > 0) {
        return Math.min(upperNs(i), maxNs.get()) / 1e6;
      }
    }
    return 0;
  }

  /** Describes the distribution, for people. */
  String text() {
    return "p50 %.1f ms, p99 %.1f ms, max %d ms"
        .formatted(quantileMs(0.5), quantileMs(0.99), maxMs());
  }

  private static int bucket(long ns) {
    if (ns < PARTS) {
      return (int) ns;
    }
    int shift = Long.SIZE - 1 - Long.numberOfLeadingZeros(ns) - PARTS_LOG2;
    return (shift + 1) * PARTS + (int) (ns >>> shift) - PARTS;
  }

  private static long upperNs(int bucket) {
    if (bucket < PARTS) {
      return bucket;
    }
    int shift = bucket / PARTS - 1;
    return (long) (bucket % PARTS + PARTS + 1) << shift;
  }
}
