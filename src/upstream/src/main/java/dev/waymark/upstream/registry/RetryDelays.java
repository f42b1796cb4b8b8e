package dev.waymark.upstream.registry;

import java.util.random.RandomGenerator;

/**
 * How long to wait before the next attempt: uniformly random between a minimum and a ceiling that
 * doubles with every failure, so that nodes that lost the same directory do not return together.
 * Confined to the scheduler.
 */
final class RetryDelays {
  static final long MIN_NS = 100_000_000L;

  /** The highest ceiling, until there is another. */
  static final long MAX_NS = 5_000_000_000L;

  private final RandomGenerator random;
  private long maxNs = MAX_NS;
  private long ceilingNs = MIN_NS;

  RetryDelays(RandomGenerator random) {
    this.random = random;
  }

  /** Sets the highest ceiling; at least twice the minimum. */
  void limit(long ns) {
    maxNs = Math.max(2 * MIN_NS, ns);
  }

  /** The next wait. */
  long nextNs() {
    ceilingNs = Math.min(maxNs, 2 * ceilingNs);
    return random.nextLong(MIN_NS, ceilingNs + 1);
  }

  /**
   * Starts again with short waits, if a success lasted for longer than the last wait could: a
   * directory that fails soon after each success is also asked less and less often.
   */
  void resetAfter(long successNs) {
    if (successNs >= ceilingNs) {
      ceilingNs = MIN_NS;
    }
  }
}
