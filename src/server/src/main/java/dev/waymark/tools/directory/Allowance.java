package dev.waymark.tools.directory;

import java.util.concurrent.TimeUnit;

/**
 * Lets through so many per second on average, and a burst after a pause. Its state is the instant
 * at which the whole burst will be available again (the generic cell rate algorithm of ITU-T
 * I.371). Confined to one thread.
 */
final class Allowance {
  private final long intervalNs;
  private final long burstNs;
  private long fullAtNs;
  private boolean isUsed;

  Allowance(int perSecond, int burst) {
    this.intervalNs = TimeUnit.SECONDS.toNanos(1) / perSecond;
    this.burstNs = burst * intervalNs;
  }

  /** Takes so many if they are available, else none. */
  boolean take(int count, long nowNs) {
    if (!isUsed || fullAtNs - nowNs < 0) {
      isUsed = true;
      fullAtNs = nowNs;
    }
    if (fullAtNs - nowNs + count * intervalNs > burstNs) {
      return false;
    }
    fullAtNs += count * intervalNs;
    return true;
  }
}
