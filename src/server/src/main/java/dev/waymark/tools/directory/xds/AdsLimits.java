package dev.waymark.tools.directory.xds;

/**
 * What clients may do. Who does more loses its stream, but for the rate, at which it is slowed
 * down. Immutable.
 *
 * @param streamsMax at the same time
 * @param namesMax names of resources that a stream may subscribe to
 * @param requestsPerSecond of a stream, on average; ten seconds' worth may come at once
 */
public record AdsLimits(int streamsMax, int namesMax, int requestsPerSecond) {
  public static final AdsLimits DEFAULT = new AdsLimits(10_000, 20_000, 100);
}
