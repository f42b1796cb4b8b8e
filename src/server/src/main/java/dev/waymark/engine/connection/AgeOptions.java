package dev.waymark.engine.connection;

import dev.waymark.protocol.Check;

/**
 * How old connections of a listener may get. Immutable.
 *
 * @param maxNs older ones end where a reply ends; 0: no limit
 * @param jitterPercent each limit is shorter by up to this share, so that those that came together
 *     do not leave together
 * @param graceNs how much longer a connection may take to come to a quiet place
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
