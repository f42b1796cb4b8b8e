package dev.waymark.net.admission;

import java.util.Optional;

/**
 * The limits of a listener for those who connect to it. Immutable.
 *
 * @param allowed who may connect; empty: everybody who is not denied. An address in {@code denied}
 *     too belongs to the narrower of the two networks
 * @param denied who may not connect
 * @param connectionsPerSource connections at a time from one {@link SourceTable source}; 0: any
 *     number
 * @param ratePerSource how often one source may connect; empty: as often as it likes
 * @param rate how many may connect in all; empty: any number
 * @param rampNs how long after the start the rate grows; 0: it is the full rate at once
 */
public record AdmissionLimits(
    NetworkSet allowed,
    NetworkSet denied,
    int connectionsPerSource,
    Optional<Rate> ratePerSource,
    Optional<Rate> rate,
    long rampNs) {
  /** Everybody may connect at any time. */
  public static final AdmissionLimits NONE =
      new AdmissionLimits(
          NetworkSet.EMPTY, NetworkSet.EMPTY, 0, Optional.empty(), Optional.empty(), 0);

  boolean hasNetworks() {
    return !allowed.isEmpty() || !denied.isEmpty();
  }

  boolean isPerSource() {
    return connectionsPerSource > 0 || ratePerSource.isPresent();
  }
}
