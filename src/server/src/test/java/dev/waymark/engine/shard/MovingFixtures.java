package dev.waymark.engine.shard;

import dev.waymark.engine.base.PoolOptions;
import dev.waymark.engine.base.PoolOptions.Acknowledge;
import dev.waymark.engine.base.PoolOptions.Moving;

/** Fixtures whose pool moves connections as a test says. Stateless. */
public final class MovingFixtures {
  private static final long MS = Fixtures.MS;

  /** Nothing moves but what a test asks for. */
  public static final Moving STEADY = moving(false, false);

  /** Connections follow the leader. */
  public static final Moving FOLLOWING = moving(true, false);

  /** Connections go on when an upstream without Settings is lost. */
  public static final Moving RESUMING_AT_MOST_ONCE = moving(false, true);

  private MovingFixtures() {}

  public static Fixtures with(Moving moving) {
    return with(5_000 * MS, moving);
  }

  /**
   * With another timeout too.
   *
   * @param settingsTimeoutNs how long an upstream's Settings are waited for
   */
  public static Fixtures with(long settingsTimeoutNs, Moving moving) {
    return new Fixtures(
        new PoolOptions("pool", Acknowledge.AUTO, settingsTimeoutNs, 30, moving), 0, 1_000_000);
  }

  private static Moving moving(boolean isFollowing, boolean isResumingAtMostOnce) {
    return Moving.builder()
        .isRebalancing(false)
        .isFollowingLeader(isFollowing)
        .isResumingAtMostOnce(isResumingAtMostOnce)
        .build();
  }
}
