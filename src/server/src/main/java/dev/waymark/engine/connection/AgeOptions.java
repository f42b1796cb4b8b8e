package dev.waymark.engine.connection;

import dev.waymark.protocol.Check;

/**
 * How old the connections of a listener may become. Immutable.
 *
 * @param maxNs older ones are ended where a reply ends; 0: they live as long as they like
 * @param jitterPercent each one's age is shorter by up to so much, or those that came together
 *     would leave together
 * @param graceNs how much longer one may live to come to a quiet place
 */
public record AgeOptions(long maxNs, int jitterPercent, long graceNs) {
  /** No limit. */
  public static final AgeOptions OFF = new AgeOptions(0, 0, 0);

  public AgeOptions {
    Check.that(maxNs >= 0 && graceNs >= 0, "an age and a grace are lengths of time");
    Check.that(jitterPercent >= 0 && jitterPercent <= 100, "a jitter is a part of the age");
  }

  /** Whether there is a limit. */
  public boolean isLimited() {
    return maxNs > 0;
  }
}
