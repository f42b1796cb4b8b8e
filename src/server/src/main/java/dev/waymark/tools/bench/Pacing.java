package dev.waymark.tools.bench;

/**
 * When each request is due, fixed in advance: a far side that stands still does not move it, so its
 * stall is measured for every request that was due meanwhile. Immutable.
 *
 * @param startNs when the first is due
 * @param perSecond how many are due each second
 */
record Pacing(long startNs, double perSecond) {
  private static final double SECOND_NS = 1e9;

  /** When the request with this index is due. */
  long dueNs(long index) {
    return startNs + (long) (index * SECOND_NS / perSecond);
  }

  /** How many are due at this time, those before included. */
  long dueCount(long nowNs) {
    if (nowNs - startNs < 0) {
      return 0;
    }
    long count = (long) ((nowNs - startNs) * perSecond / SECOND_NS);
    // Rounded twice, so it may be off by one, and has to agree with dueNs.
    while (dueNs(count) - nowNs <= 0) {
      count++;
    }
    while (count > 0 && dueNs(count - 1) - nowNs > 0) {
      count--;
    }
    return count;
  }
}
