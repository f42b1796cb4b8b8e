package dev.waymark.engine.base;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.shard.Fixtures;
import dev.waymark.protocol.CloseReason;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests the wheel through connections. The clock of {@link Fixtures} soon wraps around. */
class DeadlineWheelTest {
  @ParameterizedTest
  @ValueSource(longs = {1, 99, 100, 101, 5_000, 51_100, 51_200, 51_300, 120_000, 3_600_000})
  void deadline_nearOrFar_firesWithinATick(long waitMs) {
    Fixtures fixtures = new Fixtures(pool(waitMs), 0, 10_000);
    fixtures.passMs(37);
    fixtures.accept();
    fixtures.passMs(waitMs - 1);
    assertThat(fixtures.effects).isEmpty();
    fixtures.passMs(1 + DeadlineWheel.TICK_NS / Fixtures.MS);
    assertThat(fixtures.effects).contains("FIN");
  }

  @Test
  void deadline_ofAClosedConnection_isForgotten() {
    Fixtures fixtures = new Fixtures(pool(500), 0, 10_000);
    Connection closed = fixtures.accept();
    closed.onClientLost(fixtures.nowNs, CloseReason.CLIENT_RESET);
    fixtures.takeEffects();
    fixtures.passMs(100_000);
    assertThat(fixtures.effects).isEmpty();
  }

  @Test
  void deadlines_afterALongPause_allFire() {
    Fixtures fixtures = new Fixtures(pool(500), 0, 10_000);
    for (int i = 0; i < 10; i++) {
      fixtures.accept();
    }
    fixtures.nowNs += 1_000_000 * Fixtures.MS;
    fixtures.shard.onDeadline(fixtures.nowNs);
    assertThat(fixtures.effects).hasSize(10).containsOnly("FIN");
    assertThat(fixtures.shard.nextDeadlineNs() - fixtures.nowNs)
        .isBetween(1L, DeadlineWheel.TICK_NS);
  }

  private static PoolOptions pool(long waitMs) {
    return new PoolOptions(
        "pool",
        PoolOptions.Acknowledge.AUTO,
        waitMs * Fixtures.MS,
        30,
        PoolOptions.Moving.DEFAULTS);
  }
}
