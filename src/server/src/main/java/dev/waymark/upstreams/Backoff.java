package dev.waymark.upstreams;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * Waits before another try: uniformly random between the least wait and a ceiling that doubles from
 * twice the least with every try, so that bridges which lost the same peer do not come back
 * together. Confined to the control thread.
 */
final class Backoff {
  /** Nothing is tried more often, whatever the configuration says. */
  static final long FLOOR_MS = 10;

  private final long leastMs;
  private final long mostMs;
  private final RandomGenerator random;
  private long ceilingMs;

  Backoff(Duration least, Duration most, RandomGenerator random) {
    this.leastMs = Math.max(FLOOR_MS, least.toMillis());
    this.mostMs = Math.max(leastMs, most.toMillis());
    this.random = random;
    this.ceilingMs = leastMs;
  }

  /** The next wait, in milliseconds. */
  long nextMs() {
    ceilingMs = ceilingMs > mostMs / 2 ? mostMs : ceilingMs * 2;
    return ceilingMs == leastMs ? leastMs : random.nextLong(leastMs, ceilingMs + 1);
  }

  /** This wait, moved into the bounds. */
  long clampMs(long waitMs) {
    return Math.clamp(waitMs, leastMs, mostMs);
  }

  /** A try succeeded: the next wait is a short one. */
  void reset() {
    ceilingMs = leastMs;
  }

  /**
   * A try succeeded and ended: the next wait is a short one, unless the success was shorter than
   * the waits before it. What always ends soon after it began is tried ever more seldom too.
   */
  void resetAfter(long successMs) {
    if (successMs >= ceilingMs) {
      reset();
    }
  }
}
