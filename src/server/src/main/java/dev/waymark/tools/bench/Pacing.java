package dev.waymark.tools.bench;

/**
 * The schedule of requests, fixed in advance: if the other side stalls, requests stay due at their
 * times, so the stall is measured for each of them. Immutable.
 *
 * @param startNs when the first request is due
 * @param perSecond how many requests are due per second
 */
record Pacing(long startNs, double perSecond) {
  private static final double SECOND_NS = 1e9;

  /** When the request with this index is due. */
  long dueNs(long index) {
    return startNs + (long) (index * SECOND_NS / perSecond);
  }

  /** How many requests have become due up to this time. */
  long dueCount(long nowNs) {
    if (nowNs - startNs < 0) {
      return 0;
    }
    long count = (long) ((nowNs - startNs) * perSecond / SECOND_NS);
    // Rounding may make this off by one, but it has to agree with dueNs.
    while (dueNs(count) - nowNs <= 0) {
      count++;
    }
    while (count > 0 && dueNs(count - 1) - nowNs > 0) {
      count--;
    }
    return count;
  }
}
