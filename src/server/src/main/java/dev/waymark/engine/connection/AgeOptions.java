package dev.waymark.engine.connection;

import dev.waymark.protocol.Check;

/**
 * How old connections of a listener may get. Immutable.
 *
 * @param maxNs from this age on a connection ends at the next quiet point; 0: no limit
 * @param jitterPercent each limit is shorter by up to this share, so that connections accepted
 *     together do not end together
 * @param graceNs how much longer a connection may take to reach a quiet point
 */
public record AgeOptions(long maxNs, int jitterPercent, long graceNs) {
  /** No limit. */
  public static final AgeOptions OFF = new AgeOptions(0, 0, 0);

  public AgeOptions {
    Check.that(maxNs >= 0 && graceNs >= 0, "max age and grace are not negative");
    Check.that(jitterPercent >= 0 && jitterPercent <= 100, "jitter is 0 to 100 percent");
  }

  /** Whether there is a limit. */
  public boolean isLimited() {
    return maxNs > 0;
  }
}
