package dev.waymark.engine.lane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.engine.base.Counter;
import dev.waymark.engine.base.Limits;
import dev.waymark.engine.base.PoolOptions;
import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.pool.PoisonQuarantine;
import dev.waymark.engine.pool.PoolSetup;
import dev.waymark.engine.shard.Fixtures;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.UpstreamControl;
import dev.waymark.protocol.UpstreamFrame;
import java.util.List;
import org.junit.jupiter.api.Test;

class LaneTest {
  private final Fixtures fixtures = new Fixtures();

  @Test
  void frame_ofAConnectionThatNeverExisted_isRefused() {
    fixtures.acknowledgingLane();
    fixtures.takeEffects();
    fixtures.receive(new UpstreamFrame().clear().connection(77));
    assertThat(fixtures.takeEffects()).containsExactly("Close UNKNOWN_CONNECTION");
  }

  @Test
  void close_ofAConnectionThatNeverExisted_isNotAnswered() {
    fixtures.acknowledgingLane();
    fixtures.takeEffects();
    fixtures.receive(new UpstreamFrame().clear().connection(77).close(1));
    assertThat(fixtures.takeEffects()).isEmpty();
  }

  @Test
  void emptyFrame_ofTheLaneItself_isNotAnswered() {
    fixtures.acknowledgingLane();
    fixtures.takeEffects();
    fixtures.receive(new UpstreamFrame().clear());
    assertThat(fixtures.takeEffects()).isEmpty();
  }

  @Test
  void frame_ofAClosedConnection_isDroppedAndCounted() {
    fixtures.acknowledgingLane();
    Connection connection = fixtures.accept();
    connection.onClientLost(fixtures.nowNs, CloseReason.CLIENT_RESET);
    fixtures.endTurn();
    fixtures.takeEffects();
    fixtures.receive(fixtures.frame(connection).payload(Fixtures.bytes(3)));
    assertThat(fixtures.takeEffects()).isEmpty();
    assertThat(fixtures.counters.total(Counter.FRAMES_FENCED)).isEqualTo(1);
  }

  @Test
  void close_crossingAClose_isDroppedWithoutAnswer() {
    fixtures.acknowledgingLane();
    Connection connection = fixtures.accept();
    UpstreamFrame close = fixtures.frame(connection).close(CloseReason.DONE.wireCode());
    fixtures.takeEffects();
    connection.onClientLost(fixtures.nowNs, CloseReason.CLIENT_RESET);
    fixtures.endTurn();
    assertThat(fixtures.takeEffects()).contains("Close CLIENT_RESET");
    fixtures.receive(close);
    assertThat(fixtures.takeEffects()).isEmpty();
    assertThat(fixtures.summaries)
        .singleElement()
        .satisfies(summary -> assertThat(summary.reason()).isEqualTo(CloseReason.CLIENT_RESET));
    assertThat(fixtures.counters.total(Counter.FRAMES_FENCED)).isOne();
    assertThat(fixtures.counters.total(Counter.CONNECTIONS_DETACHED)).isOne();
  }

  /**
   * Passes time with frames coming in, so that no Ping is needed to see that the upstream lives.
   */
  private void passBusily(Lane lane, long ms) {
    for (long passed = 0; passed < ms; passed += 100) {
      fixtures.passMs(100);
      fixtures.control(lane, new UpstreamControl.Load(0.5, 1));
    }
  }

  @Test
  void ping_onABusyLane_measuresTheRoundTripOncePerInterval() {
    Lane lane = fixtures.acknowledgingLane();
    long intervalMs = Fixtures.limits().pingIntervalNs() / 1_000_000;
    fixtures.takeEffects();
    passBusily(lane, intervalMs + 200);
    assertThat(fixtures.takeEffects()).containsOnlyOnce("Ping");
    fixtures.control(lane, new UpstreamControl.Pong(7));
    assertThat(fixtures.counters.roundTrips().count())
        .as("after a Pong with another number")
        .isZero();
    fixtures.passMs(30);
    fixtures.control(lane, new UpstreamControl.Pong(1));
    assertThat(fixtures.counters.roundTrips().count()).isOne();
    assertThat(fixtures.counters.roundTrips().sumNs()).isBetween(30_000_000L, 330_000_000L);
    fixtures.control(lane, new UpstreamControl.Pong(1));
    assertThat(fixtures.counters.roundTrips().count()).as("after a second Pong").isOne();
    passBusily(lane, intervalMs + 200);
    assertThat(fixtures.takeEffects()).containsOnlyOnce("Ping");
  }

  @Test
  void pong_missingOnABusyLane_doesNotBreakIt() {
    Lane lane = fixtures.acknowledgingLane();
    Limits limits = Fixtures.limits();
    fixtures.takeEffects();
    passBusily(lane, 3 * (limits.pingIntervalNs() + limits.laneTimeoutNs()) / 1_000_000);
    assertThat(lane.isOpen()).isTrue();
    assertThat(fixtures.takeEffects()).containsOnlyOnce("Ping");
  }

  @Test
  void connection_ended_countsItsDuration() {
    fixtures.acknowledgingLane();
    Connection connection = fixtures.accept();
    fixtures.passMs(2_000);
    connection.onClientLost(fixtures.nowNs, CloseReason.CLIENT_RESET);
    fixtures.endTurn();
    assertThat(fixtures.counters.connectionDurations().count()).isOne();
    assertThat(fixtures.counters.connectionDurations().sumNs())
        .isBetween(2_000_000_000L, 2_200_000_000L);
  }

  @Test
  void settings_repeated_changeTheWindowAtTheNextTick() {
    Lane lane = fixtures.acknowledgingLane();
    fixtures.control(lane, new UpstreamControl.Settings(1, 10, false, false));
    Connection connection = fixtures.accept();
    fixtures.data(connection, 30);
    assertThat(fixtures.takeEffects()).contains("data 0+10").doesNotContain("data 10+20");
    fixtures.control(lane, new UpstreamControl.Settings(1, 20, false, false));
    fixtures.passMs(200);
    assertThat(fixtures.takeEffects()).contains("data 10+10");
    fixtures.control(lane, new UpstreamControl.Settings(1, 0, false, false));
    fixtures.passMs(200);
    assertThat(fixtures.takeEffects()).contains("data 20+10");
  }

  /** The bytes under way may exceed a window that has become smaller. */
  @Test
  void settings_repeatedWithASmallerWindow_pauseSendingUntilItHasRoom() {
    Lane lane = fixtures.acknowledgingLane();
    Connection connection = fixtures.accept();
    fixtures.data(connection, 50);
    fixtures.control(lane, new UpstreamControl.Settings(1, 20, false, false));
    fixtures.data(connection, 5);
    fixtures.passMs(200);
    fixtures.takeEffects();
    fixtures.receive(fixtures.frame(connection).consumed(30));
    assertThat(fixtures.takeEffects()).doesNotContain("data 50+5");
    fixtures.receive(fixtures.frame(connection).consumed(40));
    assertThat(fixtures.takeEffects()).contains("data 50+5");
  }

  /** An upstream must not look alive by repeating its Settings. */
  @Test
  void settings_repeatedEndlessly_areNoSignOfWork() {
    Lane lane = fixtures.acknowledgingLane();
    Connection connection = fixtures.accept();
    fixtures.data(connection, 10);
    for (int second = 0; second < 31 && connection.epoch() == 0; second++) {
      fixtures.passMs(1_000);
      fixtures.control(lane, new UpstreamControl.Settings(1, 10 + second, false, false));
    }
    assertThat(connection.epoch()).isEqualTo(1);
  }

  @Test
  void lane_silentAfterAPing_isBroken() {
    fixtures.acknowledgingLane();
    fixtures.takeEffects();
    fixtures.passMs(2200);
    assertThat(fixtures.takeEffects()).containsExactly("Ping");
    fixtures.passMs(6200);
    assertThat(fixtures.takeEffects()).startsWith("cancel silent");
  }

  @Test
  void lane_endedAfterDraining_isFinished_andNoFaultOfItsUpstream() {
    Lane lane = fixtures.acknowledgingLane();
    fixtures.draining(lane);
    fixtures.ended(lane);
    assertThat(fixtures.counters.total(Counter.LANES_FINISHED)).isEqualTo(1);
    assertThat(fixtures.counters.total(Counter.LANES_BROKEN)).isZero();
    assertThat(fixtures.outlierSignals).isEmpty();
  }

  @Test
  void lane_endedAfterDraining_isOpenedAgain() {
    Lane lane = fixtures.acknowledgingLane();
    fixtures.draining(lane);
    fixtures.ended(lane);
    fixtures.passMs(1_000);
    assertThat(fixtures.lane()).isNotSameAs(lane);
  }

  @Test
  void lane_endedWithAConnection_isBroken_thoughItsUpstreamWasDraining() {
    Lane lane = fixtures.acknowledgingLane();
    fixtures.accept();
    fixtures.draining(lane);
    fixtures.ended(lane);
    assertThat(fixtures.counters.total(Counter.LANES_BROKEN)).isEqualTo(1);
    assertThat(fixtures.outlierSignals).containsExactly("a:1 LANE_BROKEN");
  }

  @Test
  void lane_endedWithoutDraining_isBroken() {
    fixtures.ended(fixtures.acknowledgingLane());
    assertThat(fixtures.counters.total(Counter.LANES_BROKEN)).isEqualTo(1);
  }

  @Test
  void lane_notReadingTheAnswersToItsPushes_isCancelled() {
    fixtures.acknowledgingLane();
    fixtures.isWritable = false;
    for (int i = 0; i <= LaneSender.UNREAD_ANSWERS_MAX; i++) {
      fixtures.receive(new UpstreamFrame().clear().control(push(i)));
    }
    assertThat(fixtures.effects)
        .doesNotContain("cancel the upstream does not read the answers to its frames");
    fixtures.receive(new UpstreamFrame().clear().connection(77));
    assertThat(fixtures.effects)
        .contains("cancel the upstream does not read the answers to its frames");
  }

  @Test
  void lane_withoutRequiredSettings_getsNoConnectionsAndIsCancelled() {
    Fixtures required =
        new Fixtures(
            new PoolOptions(
                "pool",
                PoolOptions.Acknowledge.REQUIRED,
                20_000 * Fixtures.MS,
                30,
                PoolOptions.Moving.DEFAULTS),
            0,
            10_000);
    required.upstreams("a:1");
    required.lane().onReady(required.nowNs);
    required.endTurn();
    Connection connection = required.accept();
    required.takeEffects();
    required.passMs(6100);
    assertThat(required.takeEffects()).contains("cancel no Settings").doesNotContain("Open");
    required.settings(required.lane());
    assertThat(required.takeEffects()).contains("Open");
    assertThat(Fixtures.owner(connection).isAcknowledging()).isTrue();
  }

  /** The lane keeps its connections but gets no new ones. */
  @Test
  void acknowledge_requiredByAReload_keepsConnectionsOfAtMostOnceLanes() {
    fixtures.atMostOnceLanes("a:1");
    Connection before = fixtures.accept();
    fixtures.receive(fixtures.frame(before));
    reconfigure(PoolOptions.Acknowledge.REQUIRED);
    Connection after = fixtures.accept();
    fixtures.passMs(2_000);
    assertThat(Fixtures.owner(before)).isSameAs(fixtures.lane());
    assertThat(after.owner()).isNull();
  }

  @Test
  void acknowledge_neverByAReload_makesASilentLaneAtMostOnce() {
    fixtures.atMostOnceLanes("a:1");
    Connection connection = fixtures.accept();
    fixtures.data(connection, Fixtures.WINDOW + 5);
    reconfigure(PoolOptions.Acknowledge.NEVER);
    fixtures.passMs(200);
    assertThat(fixtures.lane().isAtMostOnce()).isTrue();
    assertThat(connection.heldBytes()).isZero();
  }

  private void reconfigure(PoolOptions.Acknowledge acknowledge) {
    PoolOptions options =
        new PoolOptions("pool", acknowledge, 5_000 * Fixtures.MS, 30, PoolOptions.Moving.DEFAULTS);
    fixtures.shard.onConfigured(
        fixtures.nowNs,
        List.of(new PoolSetup(options, fixtures, new PoisonQuarantine(() -> fixtures.nowNs))),
        List.of());
    fixtures.endTurn();
  }

  private static UpstreamControl push(long id) {
    return new UpstreamControl.Push(id, null, new byte[1], UpstreamFrame.ABSENT);
  }

  @Test
  void lane_silentWithAFullInitialWindow_becomesAtMostOnce() {
    fixtures.upstreams("a:1");
    fixtures.lane().onReady(fixtures.nowNs);
    Connection connection = fixtures.accept();
    connection.onClientBytes(fixtures.nowNs, Fixtures.bytes(Fixtures.WINDOW + 5), false);
    fixtures.takeEffects();
    fixtures.passMs(1200);
    assertThat(fixtures.takeEffects()).containsExactly("data 100+5", "resume");
  }
}
