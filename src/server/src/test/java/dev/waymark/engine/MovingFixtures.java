package dev.waymark.engine;

import dev.waymark.engine.PoolOptions.Acknowledge;
import dev.waymark.engine.PoolOptions.Moving;

/** Fixtures whose pool moves connections as a test says. Stateless. */
final class MovingFixtures {
  private static final long MS = Fixtures.MS;

  /** Nothing moves but what a test asks for. */
  static final Moving STEADY = moving(false, false);

  /** Connections follow the leader. */
  static final Moving FOLLOWING = moving(true, false);

  /** Connections go on when an upstream without Settings is lost. */
  static final Moving REOPENING_PLAIN = moving(false, true);

  private MovingFixtures() {}

  static Fixtures with(Moving moving) {
    return with(5_000 * MS, moving);
  }

  /**
   * @param settingsTimeoutNs how long an upstream's Settings are waited for
   */
  static Fixtures with(long settingsTimeoutNs, Moving moving) {
    return new Fixtures(
        new PoolOptions("pool", Acknowledge.AUTO, settingsTimeoutNs, 30, moving), 0, 1_000_000);
  }

  private static Moving moving(boolean isFollowing, boolean isReopeningPlain) {
    return new Moving(
        30_000 * MS, 10_000 * MS, 60_000 * MS, 2_000, false, isFollowing, isReopeningPlain);
  }
}
