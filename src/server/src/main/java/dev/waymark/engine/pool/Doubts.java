package dev.waymark.engine.pool;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Counts signs, from any shard, that the upstreams of a pool die of something other than requests
 * (rule 3): an upstream without connections died, or a suspect that had lost an owner in isolation
 * was answered by the next one. The more signs, the more likely a loss in isolation is chance.
 * Thread-safe, without locks.
 */
final class Doubts {
  /** The highest count: this many more losses in isolation are proof, whatever else happens. */
  static final int COUNT_MAX = 8;

  /** How long a sign counts. */
  static final long MEMORY_NS = 30_000_000_000L;

  private final AtomicLongArray times = new AtomicLongArray(COUNT_MAX);
  private final AtomicLong total = new AtomicLong();

  // --- input ---

  void add(long nowNs) {
    long number = total.get();
    times.set((int) (number % COUNT_MAX), nowNs);
    // Of two signs at the same moment one may be lost, which does no harm.
    total.compareAndSet(number, number + 1);
  }

  // --- output ---

  /** Returns how many signs count now. */
  int count(long nowNs) {
    int known = (int) Math.min(COUNT_MAX, total.get());
    int recent = 0;
    for (int i = 0; i < known; i++) {
      if (nowNs - times.get(i) <= MEMORY_NS) {
        recent++;
      }
    }
    return recent;
  }
}
