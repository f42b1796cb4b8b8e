package dev.waymark.upstream.registry;

/**
 * How busy an instance is. 0 is "unknown" everywhere. Immutable.
 *
 * @param utilisation the share of its capacity that is in use: 0 to 1, and above when it has more
 *     to do than it can
 * @param capacity how many requests or connections it can hold at once
 * @param inFlight how many it has
 * @param memory the share of its memory that is in use, 0 to 1
 * @param requestsPerSecond that ended in the last seconds
 * @param errorsPerSecond those of them that failed
 */
public record InstanceLoad(
    double utilisation,
    int capacity,
    int inFlight,
    double memory,
    double requestsPerSecond,
    double errorsPerSecond) {
  /** Nothing is known. */
  public static final InstanceLoad UNKNOWN = new InstanceLoad(0, 0, 0, 0, 0, 0);

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if one is negative or not finite
   */
  public InstanceLoad {
    check(utilisation, "utilisation");
    check(capacity, "capacity");
    check(inFlight, "inFlight");
    check(memory, "memory");
    check(requestsPerSecond, "requestsPerSecond");
    check(errorsPerSecond, "errorsPerSecond");
  }

  /** Only the utilisation is known. */
  public static InstanceLoad ofUtilisation(double utilisation) {
    return new InstanceLoad(utilisation, 0, 0, 0, 0, 0);
  }

  private static void check(double number, String name) {
    if (!(number >= 0) || Double.isInfinite(number)) {
      throw new IllegalArgumentException(name + ": " + number + " (expected: a number from 0 up)");
    }
  }
}
