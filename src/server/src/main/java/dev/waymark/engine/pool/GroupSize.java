package dev.waymark.engine.pool;

/**
 * Decides how many suspects share a round (rule 3). A group whose upstream lives is cleared at
 * once; one that kills it says little about each member, and costs an upstream. So groups grow only
 * while trying the rest would take too long, and shrink with each that kills. A state machine
 * without I/O, confined to its shard's thread.
 */
final class GroupSize {
  /** This many unlikely suspects weigh as much as one likely suspect. */
  private static final int UNLIKELY_PER_LIKELY = 8;

  /** The largest group, which is 128 likely suspects. */
  private static final int UNLIKELY_MAX = 1_024;

  /** Groups grow fourfold while trying all waiting suspects would take longer than this. */
  private static final long PATIENCE_NS = 2_000_000_000L;

  private static final int GROWTH = 4;

  /** After a group has killed an upstream, groups grow again once this many rounds killed none. */
  private static final int CAUTION = 8;

  /** After this long without suspects, sizes start over. */
  private static final long MEMORY_NS = 30_000_000_000L;

  private int unlikely = 1;
  private int caution;
  private long lastNs;

  // --- inputs ---

  /** A suspect waits for a round. */
  void onSuspect(long nowNs) {
    if (nowNs - lastNs > MEMORY_NS) {
      unlikely = 1;
      caution = 0;
    }
    lastNs = nowNs;
  }

  /**
   * A round has ended, and its upstream lives.
   *
   * @param tookNs how long the round took
   * @param unlikelyCount unlikely suspects that still wait
   * @param likelyCount other suspects that still wait
   */
  void onLived(long tookNs, long unlikelyCount, long likelyCount) {
    long groups = unlikelyCount / unlikely() + likelyCount / likely();
    if (caution > 0) {
      caution--;
    } else if (tookNs * groups > PATIENCE_NS && unlikely < UNLIKELY_MAX) {
      unlikely *= GROWTH;
    }
  }

  /** A group of this size has killed its upstream. */
  void onKilled(int size) {
    caution = CAUTION;
    unlikely = size > 1 ? Math.max(1, unlikely / 2) : unlikely;
  }

  // --- outputs ---

  /** How many unlikely suspects share a round. */
  int unlikely() {
    return unlikely;
  }

  /** How many likely suspects share a round. */
  int likely() {
    return Math.max(1, unlikely / UNLIKELY_PER_LIKELY);
  }
}
