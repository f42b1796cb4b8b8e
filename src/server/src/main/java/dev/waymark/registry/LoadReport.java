package dev.waymark.registry;

/**
 * How busy an instance says it is. 0 is "unknown" everywhere. Immutable.
 *
 * @param utilisation the share of its capacity that is in use: 0 to 1, and above when it has more
 *     to do than it can
 * @param capacity how many requests or connections it can hold at once
 * @param inFlight how many it has
 * @param memory the share of its memory that is in use, 0 to 1
 * @param requestsPerSecond that ended in the last seconds
 * @param errorsPerSecond those of them that failed
 */
public record LoadReport(
    double utilisation,
    int capacity,
    int inFlight,
    double memory,
    double requestsPerSecond,
    double errorsPerSecond) {
  /** Nothing is known. */
  public static final LoadReport UNKNOWN = new LoadReport(0, 0, 0, 0, 0, 0);
}
