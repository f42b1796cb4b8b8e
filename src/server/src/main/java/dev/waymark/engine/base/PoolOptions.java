package dev.waymark.engine.base;

/**
 * What the engine has to know of a pool. Immutable.
 *
 * @param name unique in the bridge; a metric label
 * @param acknowledge whether upstreams acknowledge what they have dealt with (rule 5)
 * @param noUpstreamWaitNs how long a connection waits for a SERVING upstream; 0: it is closed at
 *     once
 * @param noUpstreamBytesMax how many of its bytes are read meanwhile
 * @param moving when connections leave an upstream that lives, and how
 */
public record PoolOptions(
    String name,
    Acknowledge acknowledge,
    long noUpstreamWaitNs,
    int noUpstreamBytesMax,
    Moving moving) {
  /**
   * How connections move from one upstream to another.
   *
   * @param progressTimeoutNs unconsumed bytes for which their owner has shown no sign of work for
   *     this long are given to another (rule 7); 0: never
   * @param releaseTimeoutNs how long the former owner may take to hand a connection over before it
   *     is fenced (rule 9)
   * @param drainTimeoutNs how long connections that cannot be handed over stay with an upstream
   *     that drains, where there is another; 0: as long as it lets them
   * @param movesPerSecond planned moves that a bridge begins in a second, over all its shards
   * @param isRebalancing connections move to upstreams that come until each has its share
   * @param isFollowingLeader client data goes to no upstream but one that is SERVING
   * @param isResumingAtMostOnce connections of an upstream that does not acknowledge are opened
   *     elsewhere when it is lost, rather than closed: what it had been sent is not replayed
   */
  public record Moving(
      long progressTimeoutNs,
      long releaseTimeoutNs,
      long drainTimeoutNs,
      int movesPerSecond,
      boolean isRebalancing,
      boolean isFollowingLeader,
      boolean isResumingAtMostOnce) {
    /** The defaults. */
    public static final Moving DEFAULTS =
        new Moving(30_000_000_000L, 10_000_000_000L, 60_000_000_000L, 2_000, true, false, false);
  }

  /** Whether the upstreams of a pool send Settings. */
  public enum Acknowledge {
    /** The first message on the lane decides. */
    AUTO,
    /** They must; without Settings an upstream gets no connection. */
    REQUIRED,
    /** They never do; Settings are ignored. */
    NEVER
  }
}
