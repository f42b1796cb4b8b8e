package dev.waymark.engine.lane;

import static dev.waymark.engine.shard.Fixtures.ownerAddress;
import static dev.waymark.engine.shard.MovingFixtures.RESUMING_AT_MOST_ONCE;
import static dev.waymark.engine.shard.MovingFixtures.STEADY;
import static dev.waymark.engine.shard.MovingFixtures.with;
import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.engine.base.PoolOptions.Moving;
import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.connection.ConnectionSummary;
import dev.waymark.engine.shard.Fixtures;
import dev.waymark.protocol.CloseReason;
import org.junit.jupiter.api.Test;

/** Owners without Settings (rule 5), which cannot hand connections over. */
class AtMostOnceTest {

  private Fixtures fixtures = with(RESUMING_AT_MOST_ONCE);

  @Test
  void atMostOnceUpstream_draining_keepsItsConnectionsUntilTheDrainTimeout() {
    fixtures = with(STEADY);
    fixtures.atMostOnceLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    Lane lane = Fixtures.owner(connection);
    lane.onFrame(fixtures.nowNs, fixtures.frame(connection));
    fixtures.draining(lane);
    fixtures.passMs(59_000);
    assertThat(ownerAddress(connection)).isEqualTo("a:1");
    fixtures.passMs(1_500);
    connection.onClientEnd(fixtures.nowNs);
    assertThat(fixtures.summaries)
        .extracting(ConnectionSummary::reason)
        .containsExactly(CloseReason.SHUTTING_DOWN);
  }

  @Test
  void connection_ofALostAtMostOnceUpstream_continuesIfThePoolSaysSo() {
    fixtures.atMostOnceLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    fixtures.data(connection, 10);
    Lane lane = Fixtures.owner(connection);
    lane.onFrame(fixtures.nowNs, fixtures.frame(connection));
    fixtures.takeEffects();
    fixtures.broken(lane);
    assertThat(ownerAddress(connection)).isEqualTo("b:1");
    assertThat(fixtures.takeEffects()).containsExactly("Open");
  }

  @Test
  void connection_pastTheLimitFromAnAtMostOnceUpstream_isNoViolationOfTheNext() {
    fixtures.atMostOnceLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    Lane atMostOnce = Fixtures.owner(connection);
    fixtures.isKernelFull = true;
    atMostOnce.onFrame(
        fixtures.nowNs,
        fixtures.frame(connection).payload(Fixtures.bytes(Fixtures.REPLY_WINDOW + 10)));
    fixtures.settings(fixtures.lanes.getLast());
    fixtures.broken(atMostOnce);
    assertThat(ownerAddress(connection)).isEqualTo("b:1");
    fixtures.answer(connection, fixtures.frame(connection).consumed(0));
    assertThat(ownerAddress(connection)).isEqualTo("b:1");
  }

  @Test
  void connection_ofALostAtMostOnceUpstream_hasNoUnfinishedReply() {
    fixtures.atMostOnceLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    fixtures.data(connection, 10);
    fixtures.answer(connection, fixtures.frame(connection).payload(Fixtures.bytes(10)));
    fixtures.broken(Fixtures.owner(connection));
    assertThat(fixtures.opens.getLast().resumeState())
        .satisfies(reopen -> {
          assertThat(reopen.committed()).isEqualTo(10);
          assertThat(reopen.committedSinceConsumed()).isZero();
        });
  }

  @Test
  void leader_changedFromAnAtMostOnceUpstream_isFollowedIfThePoolResumesAtMostOnce() {
    fixtures =
        with(
            Moving.builder()
                .progressTimeoutNs(0)
                .drainTimeoutNs(0)
                .isRebalancing(false)
                .isFollowingLeader(true)
                .isResumingAtMostOnce(true)
                .build());
    fixtures.atMostOnceLanes("a:1", "!b:1");
    Connection connection = fixtures.accept();
    Fixtures.owner(connection).onFrame(fixtures.nowNs, fixtures.frame(connection));
    fixtures.upstreams("!a:1", "b:1");
    fixtures.endTurn();
    assertThat(ownerAddress(connection)).isEqualTo("b:1");
  }
}
