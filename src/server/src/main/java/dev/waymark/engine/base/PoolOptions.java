package dev.waymark.engine.base;

/**
 * What the engine has to know about a pool. Immutable.
 *
 * @param name unique in the bridge; a metric label
 * @param acknowledge whether upstreams acknowledge what they have consumed (rule 5)
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
   * How connections move from one upstream to another. Instances are made by {@link #builder()}.
   *
   * @param progressTimeoutNs an owner that has unconsumed bytes and shows no sign of work for this
   *     long is fenced (rule 7); 0: never
   * @param releaseTimeoutNs how long the former owner may take to hand a connection over before it
   *     is fenced (rule 9)
   * @param drainTimeoutNs how long connections that cannot be handed over stay with an upstream
   *     that drains, if there is another; 0: until it ends them
   * @param movesPerSecond planned moves that a bridge begins in a second, over all its shards
   * @param isRebalancing whether connections move to new upstreams until each has its share
   * @param isFollowingLeader whether client bytes go only to an upstream that is SERVING
   * @param isResumingAtMostOnce whether connections of a lost upstream that does not acknowledge
   *     are opened elsewhere instead of closed: what it had been sent is not replayed
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
    public static final Moving DEFAULTS = builder().build();

    /** A builder that starts with the {@link #DEFAULTS}. */
    public static Builder builder() {
      return new Builder();
    }

    /** Each setter sets the component of its name. Confined to its caller. */
    public static final class Builder {
      private long progressTimeoutNs = 30_000_000_000L;
      private long releaseTimeoutNs = 10_000_000_000L;
      private long drainTimeoutNs = 60_000_000_000L;
      private int movesPerSecond = 2_000;
      private boolean isRebalancing = true;
      private boolean isFollowingLeader;
      private boolean isResumingAtMostOnce;

      private Builder() {}

      public Builder progressTimeoutNs(long progressTimeoutNs) {
        this.progressTimeoutNs = progressTimeoutNs;
        return this;
      }

      public Builder releaseTimeoutNs(long releaseTimeoutNs) {
        this.releaseTimeoutNs = releaseTimeoutNs;
        return this;
      }

      public Builder drainTimeoutNs(long drainTimeoutNs) {
        this.drainTimeoutNs = drainTimeoutNs;
        return this;
      }

      public Builder movesPerSecond(int movesPerSecond) {
        this.movesPerSecond = movesPerSecond;
        return this;
      }

      public Builder isRebalancing(boolean isRebalancing) {
        this.isRebalancing = isRebalancing;
        return this;
      }

      public Builder isFollowingLeader(boolean isFollowingLeader) {
        this.isFollowingLeader = isFollowingLeader;
        return this;
      }

      public Builder isResumingAtMostOnce(boolean isResumingAtMostOnce) {
        this.isResumingAtMostOnce = isResumingAtMostOnce;
        return this;
      }

      /** Returns the options. */
      public Moving build() {
        return new Moving(
            progressTimeoutNs,
            releaseTimeoutNs,
            drainTimeoutNs,
            movesPerSecond,
            isRebalancing,
            isFollowingLeader,
            isResumingAtMostOnce);
      }
    }
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
