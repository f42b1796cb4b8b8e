package dev.waymark.engine.lane;

import java.util.function.IntSupplier;

/**
 * Counts the connections of one lane: those attached, those being handed over from and to it (rule
 * 9), and those that have stalled on it (rule 7). A state machine without I/O, confined to its
 * shard's thread.
 */
final class LaneConnections {
  /** If fewer connections have stalled, they may be to blame themselves. */
  private static final int STALLED_MIN = 3;

  private int count;
  private int leavingCount;
  private int comingCount;
  private int stalledCount;
  private long lastStalledNs;

  // --- inputs ---

  /** This many more are attached. */
  void attached(int change) {
    count += change;
  }

  /** This many more of them are being handed over to other lanes. */
  void leaving(int change) {
    leavingCount += change;
  }

  /** This many more are being handed over to this lane. */
  void coming(int change) {
    comingCount += change;
  }

  /**
   * A connection was fenced because its owner showed no sign of work.
   *
   * @param memoryNs how long after the last stall earlier ones count
   * @param waitingCount how many connections still wait for the owner; called only if it matters
   * @return whether the upstream is to blame: more have stalled than still wait
   */
  boolean onConnectionStalled(long nowNs, long memoryNs, IntSupplier waitingCount) {
    stalledCount = nowNs - lastStalledNs > memoryNs ? 1 : stalledCount + 1;
    lastStalledNs = nowNs;
    boolean isToBlame = stalledCount >= STALLED_MIN && stalledCount > waitingCount.getAsInt();
    if (isToBlame) {
      stalledCount = 0;
    }
    return isToBlame;
  }

  // --- outputs ---

  int count() {
    return count;
  }

  /** How many connections there will be when all current handovers have ended. */
  int expectedCount() {
    return count - leavingCount + comingCount;
  }

  /** How many connections are not being handed over to other lanes. */
  int stayingCount() {
    return count - leavingCount;
  }
}
