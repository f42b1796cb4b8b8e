package dev.waymark.net.admission;

/**
 * The accepts of a listener, from all sources together. After the start, the rate grows evenly from
 * a tenth to all of it: a bridge that has just come up is cold, and all its clients come back at
 * once. Not thread-safe: {@link Admission} guards it.
 */
final class AcceptBucket {
  /** At the start of the ramp, an event costs as much as this many later. */
  static final int RAMP_COST_MAX = 10;

  private long startedNs;
  private long fullAtNs;

  AcceptBucket(long nowNs) {
    start(nowNs);
  }

  /** The ramp begins now, with a full bucket. */
  void start(long nowNs) {
    startedNs = nowNs;
    fullAtNs = nowNs;
  }

  /** Takes a token if there is one. */
  boolean take(Rate rate, long rampNs, long nowNs) {
    long costNs = costNs(rate, rampNs, nowNs);
    fullAtNs = rate.bounded(fullAtNs, nowNs);
    if (!rate.allows(fullAtNs, costNs, nowNs)) {
      return false;
    }
    fullAtNs = Rate.after(fullAtNs, costNs, nowNs);
    return true;
  }

  /** Whether the rate is still below what it will be. */
  boolean isRamping(long rampNs, long nowNs) {
    return nowNs - startedNs < rampNs;
  }

  /** What is dearer than a full bucket could never be had. */
  private long costNs(Rate rate, long rampNs, long nowNs) {
    if (!isRamping(rampNs, nowNs)) {
      return rate.intervalNs();
    }
    double share = Math.max(1.0 / RAMP_COST_MAX, Math.max(0, nowNs - startedNs) / (double) rampNs);
    return Math.min((long) (rate.intervalNs() / share), rate.fillNs());
  }
}
