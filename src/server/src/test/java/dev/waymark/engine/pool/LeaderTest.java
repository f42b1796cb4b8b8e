package dev.waymark.engine.pool;

import static dev.waymark.engine.shard.Fixtures.ownerAddress;
import static dev.waymark.engine.shard.MovingFixtures.FOLLOWING;
import static dev.waymark.engine.shard.MovingFixtures.with;
import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.engine.base.PoolOptions.Moving;
import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.connection.ConnectionSummary;
import dev.waymark.engine.shard.Fixtures;
import dev.waymark.protocol.CloseReason;
import org.junit.jupiter.api.Test;

/** Connections that follow the leader of their pool (rule 9). */
class LeaderTest {

  private Fixtures fixtures = with(FOLLOWING);

  @Test
  void leader_changed_getsAllConnectionsAndOnlyItGetsBytes() {
    fixtures.acknowledgingLanes("a:1", "!b:1");
    Connection connection = fixtures.accept();
    fixtures.data(connection, 10);
    fixtures.answer(connection, fixtures.frame(connection).consumed(10));
    fixtures.takeEffects();
    fixtures.upstreams("!a:1", "!b:1");
    fixtures.data(connection, 5);
    assertThat(fixtures.takeEffects()).containsExactly("pause");
    fixtures.upstreams("!a:1", "b:1");
    assertThat(fixtures.takeEffects()).containsExactly("Release");
    fixtures.released(connection, 10);
    assertThat(fixtures.takeEffects()).containsExactly("resume", "Open", "data 10+5");
    assertThat(ownerAddress(connection)).isEqualTo("b:1");
  }

  @Test
  void leader_returning_getsTheWaitingBytes() {
    fixtures.acknowledgingLanes("a:1", "!b:1");
    Connection connection = fixtures.accept();
    fixtures.upstreams("!a:1", "!b:1");
    fixtures.data(connection, 5);
    fixtures.takeEffects();
    fixtures.upstreams("a:1", "!b:1");
    assertThat(fixtures.takeEffects()).containsExactly("data 0+5", "resume");
  }

  @Test
  void leader_missingTooLong_closesOnlyConnectionsWithWaitingBytes() {
    fixtures.acknowledgingLanes("a:1", "!b:1");
    Connection waiting = fixtures.accept();
    Connection idle = fixtures.accept();
    fixtures.upstreams("!a:1", "!b:1");
    fixtures.data(waiting, 5);
    fixtures.passWithPongs(5_200);
    waiting.onClientEnd(fixtures.nowNs);
    assertThat(fixtures.summaries)
        .extracting(ConnectionSummary::reason)
        .containsExactly(CloseReason.NO_UPSTREAM);
    assertThat(ownerAddress(idle)).isEqualTo("a:1");
  }

  @Test
  void leader_missing_letsLateBytesWaitTheWholeTime() {
    fixtures =
        with(
            Moving.builder()
                .progressTimeoutNs(0)
                .drainTimeoutNs(0)
                .isRebalancing(false)
                .isFollowingLeader(true)
                .build());
    fixtures.acknowledgingLanes("a:1", "!b:1");
    Connection connection = fixtures.accept();
    fixtures.upstreams("!a:1", "!b:1");
    fixtures.passWithPongs(60_000);
    fixtures.data(connection, 5);
    fixtures.passWithPongs(4_000);
    assertThat(fixtures.summaries).isEmpty();
    assertThat(ownerAddress(connection)).isEqualTo("a:1");
    fixtures.passWithPongs(1_200);
    assertThat(ownerAddress(connection)).isEqualTo("nobody");
  }
}
