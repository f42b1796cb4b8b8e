package dev.waymark.engine.shard;

import dev.waymark.engine.base.PoolOptions;
import dev.waymark.engine.base.PoolOptions.Acknowledge;
import dev.waymark.engine.base.PoolOptions.Moving;

/** Creates {@link Fixtures} whose pool has given options for moving connections. Stateless. */
public final class MovingFixtures {
  private static final long MS = Fixtures.MS;

  /** No rebalancing. */
  public static final Moving STEADY = moving(false, false);

  /** Connections follow the leader. */
  public static final Moving FOLLOWING = moving(true, false);

  /** Connections continue elsewhere when an upstream without Settings is lost. */
  public static final Moving RESUMING_AT_MOST_ONCE = moving(false, true);

  private MovingFixtures() {}

  public static Fixtures with(Moving moving) {
    return with(5_000 * MS, moving);
  }

  /**
   * Returns fixtures with these options.
   *
   * @param noUpstreamWaitNs how long connections wait for an upstream
   */
  public static Fixtures with(long noUpstreamWaitNs, Moving moving) {
    return new Fixtures(
        new PoolOptions("pool", Acknowledge.AUTO, noUpstreamWaitNs, 30, moving), 0, 1_000_000);
  }

  private static Moving moving(boolean isFollowing, boolean isResumingAtMostOnce) {
    return Moving.builder()
        .isRebalancing(false)
        .isFollowingLeader(isFollowing)
        .isResumingAtMostOnce(isResumingAtMostOnce)
        .build();
  }
}
