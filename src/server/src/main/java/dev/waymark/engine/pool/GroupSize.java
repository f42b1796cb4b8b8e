package dev.waymark.engine.pool;

/**
 * How many suspects are tried together (rule 3). A group that lives clears all of its members; one
 * that kills its owner tells little of each of them, and costs an upstream. So groups grow only
 * where trying the rest would take too long, and shrink with each that kills. A state machine
 * without I/O, confined to its shard's thread.
 */
final class GroupSize {
  /** So many that are unlikely to blame make a group, where one that is likely does. */
  private static final int UNLIKELY_PER_LIKELY = 8;

  /** More are never tried together: 128 that are likely to blame. */
  private static final int UNLIKELY_MAX = 1_024;

  /** Groups grow, fourfold each time, while all that wait would take longer than this. */
  private static final long PATIENCE_NS = 2_000_000_000L;

  private static final int GROWTH = 4;

  /** After a group that killed its owner so many others have to live before groups grow. */
  private static final int CAUTION = 8;

  /** Without suspects for so long, nothing is known any more. */
  private static final long MEMORY_NS = 30_000_000_000L;

  private int unlikely = 1;
  private int caution;
  private long lastNs;

  // --- inputs ---

  /** There is somebody to try. */
  void onSuspect(long nowNs) {
    if (nowNs - lastNs > MEMORY_NS) {
      unlikely = 1;
      caution = 0;
    }
    lastNs = nowNs;
  }

  /**
   * A group has been tried, and its owner lives.
   *
   * @param tookNs how long it took
   * @param unlikelyCount suspects that are unlikely to blame and are still to be tried
   * @param likelyCount the others
   */
  void onLived(long tookNs, long unlikelyCount, long likelyCount) {
    long groups = unlikelyCount / unlikely() + likelyCount / likely();
    if (caution > 0) {
      caution--;
    } else if (tookNs * groups > PATIENCE_NS && unlikely < UNLIKELY_MAX) {
      unlikely *= GROWTH;
    }
  }

  /** A group of this size has killed its owner. */
  void onKilled(int size) {
    caution = CAUTION;
    unlikely = size > 1 ? Math.max(1, unlikely / 2) : unlikely;
  }

  // --- outputs ---

  /** So many of those that are unlikely to blame. */
  int unlikely() {
    return unlikely;
  }

  /** So many of the others. */
  int likely() {
    return Math.max(1, unlikely / UNLIKELY_PER_LIKELY);
  }
}
