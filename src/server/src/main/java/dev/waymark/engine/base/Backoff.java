package dev.waymark.engine.base;

import dev.waymark.protocol.Check;

/**
 * Exponential back-off: the longest wait before another try, which doubles with each failure in a
 * row. Users add the jitter that suits them. Immutable.
 *
 * @param minNs the longest wait after the first failure, at least 0
 * @param maxNs never exceeded, at least {@code minNs}
 */
public record Backoff(long minNs, long maxNs) {
  /** Keeps the shift below 63 bits; by then any wait has reached a sensible maximum. */
  private static final int DOUBLINGS_MAX = 30;

  public Backoff {
    Check.that(minNs >= 0 && minNs <= maxNs, "the back-off's bounds are in order");
  }

  /** The longest wait after this many failures in a row; after none, as after one. */
  public long ceilingNs(int failures) {
    int doublings = Math.clamp(failures - 1, 0, DOUBLINGS_MAX);
    return minNs > maxNs >> doublings ? maxNs : minNs << doublings;
  }
}
