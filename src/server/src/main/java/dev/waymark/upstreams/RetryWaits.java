package dev.waymark.upstreams;

import dev.waymark.engine.base.Backoff;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/**
 * How long to wait before each retry: uniformly random between the minimum and a ceiling that
 * starts at twice the minimum and doubles with every retry, so that bridges which lost the same
 * peer do not come back together. Confined to the control thread.
 */
final class RetryWaits {
  /** Nothing is retried more often, whatever the configuration says. */
  static final long FLOOR_MS = 10;

  private final long minMs;
  private final long maxMs;
  private final Backoff ceilings;
  private final RandomGenerator random;

  /** Retries since the last success. */
  private int retries;

  RetryWaits(Duration min, Duration max, RandomGenerator random) {
    this.minMs = Math.max(FLOOR_MS, min.toMillis());
    this.maxMs = Math.max(minMs, max.toMillis());
    long maxNs = TimeUnit.MILLISECONDS.toNanos(maxMs);
    this.ceilings = new Backoff(Math.min(2 * TimeUnit.MILLISECONDS.toNanos(minMs), maxNs), maxNs);
    this.random = random;
  }

  /** The next wait, in milliseconds. */
  long nextMs() {
    retries++;
    return random.nextLong(minMs, ceilingMs() + 1);
  }

  /** The given wait, moved into the bounds. */
  long clampMs(long waitMs) {
    return Math.clamp(waitMs, minMs, maxMs);
  }

  /** A try succeeded: the next wait is a short one. */
  void reset() {
    retries = 0;
  }

  /**
   * A try succeeded and ended: the next wait is a short one, unless the success was shorter than
   * the waits before it. What always ends soon after it began is retried ever more seldom too.
   */
  void resetAfter(long successMs) {
    if (successMs >= (retries == 0 ? minMs : ceilingMs())) {
      reset();
    }
  }

  private long ceilingMs() {
    return TimeUnit.NANOSECONDS.toMillis(ceilings.ceilingNs(retries));
  }
}
