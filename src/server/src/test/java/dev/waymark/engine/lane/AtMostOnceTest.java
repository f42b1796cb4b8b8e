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
import java.util.List;
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

  /** Nothing is left that it could answer: no frame would show that it does not acknowledge. */
  @Test
  void upstream_silentAtTheEndOfBothDirections_isAtMostOnceAfterTheWaitForSettings() {
    fixtures.upstreams("a:1", "b:1");
    fixtures.settings(fixtures.lanes.get(0));
    fixtures.lanes.get(1).onReady(fixtures.nowNs);
    Connection connection = fixtures.accept();
    fixtures.data(connection, 10);
    fixtures.answer(connection, fixtures.frame(connection).halfClose(true));
    connection.onClientEnd(fixtures.nowNs);
    fixtures.broken(fixtures.lanes.get(0));
    assertThat(ownerAddress(connection)).isEqualTo("b:1");
    fixtures.passMs(1_200);
    assertThat(fixtures.summaries)
        .extracting(ConnectionSummary::reason)
        .containsExactly(CloseReason.DONE);
  }

  /** What such an upstream was sent is never sent again, so it cannot kill another. */
  @Test
  void suspect_servedByAnAtMostOnceUpstream_isNoSuspectAnyMore() {
    Connection suspect = suspectOnAtMostOnceUpstream();
    assertThat(suspect.ownership().isSuspect()).as("before it is decided").isTrue();
    fixtures.answer(suspect, fixtures.frame(suspect));
    assertThat(suspect.ownership().isSuspect()).isFalse();
  }

  @Test
  void suspect_servedByAnAtMostOnceUpstream_leavesItLikeOthersWhenItDrains() {
    Connection suspect = suspectOnAtMostOnceUpstream();
    fixtures.answer(suspect, fixtures.frame(suspect));
    Lane atMostOnce = Fixtures.owner(suspect);
    reopen();
    fixtures.draining(atMostOnce);
    fixtures.passWithPongs(61_000);
    assertThat(ownerAddress(suspect)).isNotEqualTo("c:1").isNotEqualTo("nobody");
  }

  @Test
  void suspect_servedByAnAtMostOnceUpstream_isHandedOverLikeOthersLater() {
    Connection suspect = suspectOnAtMostOnceUpstream();
    fixtures.answer(suspect, fixtures.frame(suspect));
    reopen();
    fixtures.broken(Fixtures.owner(suspect));
    Lane next = Fixtures.owner(suspect);
    fixtures.takeEffects();
    fixtures.draining(next);
    assertThat(fixtures.takeEffects()).contains("Release");
  }

  @Test
  void suspect_servedByAnAtMostOnceUpstream_isNotBlamedForItsEarlierBytes() {
    Connection connection = suspectOnAtMostOnceUpstream();
    fixtures.answer(connection, fixtures.frame(connection));
    reopen();
    fixtures.draining(Fixtures.owner(connection));
    fixtures.passWithPongs(61_000);
    fixtures.data(connection, 10);
    fixtures.broken(Fixtures.owner(connection));
    assertThat(connection.isLive()).isTrue();
    assertThat(connection.ownership().isSuspect()).as("after one loss of its new bytes").isFalse();
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

  /**
   * Returns a connection whose bytes were on a:1 and b:1 when their lanes broke, and are now at
   * c:1, of which it is not yet decided whether it acknowledges.
   */
  private Connection suspectOnAtMostOnceUpstream() {
    fixtures.upstreams("a:1", "b:1", "c:1");
    fixtures.settings(fixtures.lanes.get(0));
    fixtures.settings(fixtures.lanes.get(1));
    fixtures.lanes.get(2).onReady(fixtures.nowNs);
    Connection suspect = fixtures.accept();
    fixtures.data(suspect, 10);
    fixtures.broken(fixtures.lanes.get(0));
    fixtures.broken(fixtures.lanes.get(1));
    fixtures.passMs(50);
    assertThat(ownerAddress(suspect)).isEqualTo("c:1");
    return suspect;
  }

  /** Establishes the lanes that replace broken ones, with Settings. */
  private void reopen() {
    fixtures.passMs(200);
    List.copyOf(fixtures.lanes).stream()
        .filter(lane -> !lane.isOpen() && !lane.isBroken())
        .forEach(fixtures::settings);
  }
}
