package dev.waymark.upstreams.control;

import dev.waymark.engine.base.Backoff;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/**
 * The waits before retries: each is uniformly random between the minimum and a ceiling that starts
 * at twice the minimum and doubles with every retry, so that bridges that lost the same peer do not
 * return together. Confined to the control thread.
 */
public final class RetryWaits {
  /** The shortest minimum, whatever the configuration says. */
  static final long FLOOR_MS = 10;

  private final long minMs;
  private final long maxMs;
  private final Backoff ceilings;
  private final RandomGenerator random;

  /** Retries since the last success. */
  private int retries;

  public RetryWaits(Duration min, Duration max, RandomGenerator random) {
    this.minMs = Math.max(FLOOR_MS, min.toMillis());
    this.maxMs = Math.max(minMs, max.toMillis());
    long maxNs = TimeUnit.MILLISECONDS.toNanos(maxMs);
    this.ceilings = new Backoff(Math.min(2 * TimeUnit.MILLISECONDS.toNanos(minMs), maxNs), maxNs);
    this.random = random;
  }

  /** Returns the next wait, in milliseconds. */
  public long nextMs() {
    retries++;
    return random.nextLong(minMs, ceilingMs() + 1);
  }

  /** Returns this wait, clamped to the bounds. */
  public long clampMs(long waitMs) {
    return Math.clamp(waitMs, minMs, maxMs);
  }

  /** Starts again with short waits, after a success. */
  public void reset() {
    retries = 0;
  }

  /**
   * Starts again with short waits if a success lasted at least as long as the current ceiling. So a
   * peer that keeps failing soon after each success is also retried less and less often.
   */
  public void resetAfter(long successMs) {
    if (successMs >= (retries == 0 ? minMs : ceilingMs())) {
      reset();
    }
  }

  private long ceilingMs() {
    return TimeUnit.NANOSECONDS.toMillis(ceilings.ceilingNs(retries));
  }
}
