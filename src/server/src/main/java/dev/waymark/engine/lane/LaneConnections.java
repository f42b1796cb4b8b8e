package dev.waymark.engine.lane;

import java.util.function.IntSupplier;

/**
 * How many connections one lane has, how many are on their way from and to it (rule 9), and how
 * many it has let stall (rule 7). A state machine without I/O, confined to its shard's thread.
 */
final class LaneConnections {
  /** Fewer connections than this may have stalled because of what they sent. */
  private static final int STALLED_MIN = 3;

  private int count;
  private int leavingCount;
  private int comingCount;
  private int stalledCount;
  private long lastStalledNs;

  // --- inputs ---

  /** So many more are attached. */
  void attached(int change) {
    count += change;
  }

  /** So many more of them are on their way to other lanes. */
  void leaving(int change) {
    leavingCount += change;
  }

  /** So many more are to come from other lanes. */
  void coming(int change) {
    comingCount += change;
  }

  /**
   * One was taken from the lane because its owner showed no sign of work.
   *
   * @param memoryNs what stalled longer before has nothing to do with it
   * @param waitingCount how many still wait for the owner; asked only when it matters
   * @return it is the upstream that is to blame: more have stalled than wait
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

  /** How many there will be when all hand-overs that are under way have ended. */
  int expectedCount() {
    return count - leavingCount + comingCount;
  }

  /** Those that are not on their way to other lanes. */
  int stayingCount() {
    return count - leavingCount;
  }
}
