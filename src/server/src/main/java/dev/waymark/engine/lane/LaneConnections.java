package dev.waymark.engine.lane;

import java.util.function.IntSupplier;

/**
 * How many connections one lane has, how many are being handed over from and to it (rule 9), and
 * how many have stalled on it (rule 7). A state machine without I/O, confined to its shard's
 * thread.
 */
final class LaneConnections {
  /** Fewer stalled connections may be to blame themselves. */
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
   * A connection was taken from the lane since its owner showed no sign of work.
   *
   * @param memoryNs after this long, earlier stalls no longer count
   * @param waitingCount how many still wait for the owner; called only when it matters
   * @return whether the upstream is to blame: more have stalled than still wait
   */
  boolean onStalled(long nowNs, long memoryNs, IntSupplier waitingCount) {
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

  /** How many there will be when all handovers under way have ended. */
  int expectedCount() {
    return count - leavingCount + comingCount;
  }

  /** How many are not being handed over to other lanes. */
  int stayingCount() {
    return count - leavingCount;
  }
}
