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
  void frame_ofAConnectionThatNeverWas_isRefused() {
    fixtures.attachedLane();
    fixtures.takeEffects();
    fixtures.receive(new UpstreamFrame().clear().connection(77));
    assertThat(fixtures.takeEffects()).containsExactly("Close UNKNOWN_CONNECTION");
  }

  @Test
  void close_ofAConnectionThatNeverWas_isNotAnswered() {
    fixtures.attachedLane();
    fixtures.takeEffects();
    fixtures.receive(new UpstreamFrame().clear().connection(77).close(1));
    assertThat(fixtures.takeEffects()).isEmpty();
  }

  @Test
  void emptyFrame_ofTheLaneItself_isNotAnswered() {
    fixtures.attachedLane();
    fixtures.takeEffects();
    fixtures.receive(new UpstreamFrame().clear());
    assertThat(fixtures.takeEffects()).isEmpty();
  }

  @Test
  void frame_ofAClosedConnection_isDroppedAndCounted() {
    fixtures.attachedLane();
    Connection connection = fixtures.accept();
    connection.onClientLost(fixtures.nowNs, CloseReason.CLIENT_RESET);
    fixtures.endTurn();
    fixtures.takeEffects();
    fixtures.receive(fixtures.frame(connection).payload(Fixtures.bytes(3)));
    assertThat(fixtures.takeEffects()).isEmpty();
    assertThat(fixtures.counters.total(Counter.FRAMES_FENCED)).isEqualTo(1);
  }

  @Test
  void close_crossingClose_isDroppedNeitherAnsweredNorCountedTwice() {
    fixtures.attachedLane();
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

  /** Frames come all the time, so that nobody need ask whether the upstream lives. */
  private void passBusily(Lane lane, long ms) {
    for (long passed = 0; passed < ms; passed += 100) {
      fixtures.passMs(100);
      fixtures.control(lane, new UpstreamControl.Load(0.5, 1));
    }
  }

  @Test
  void ping_onABusyLane_measuresTheRoundTripOnceInAnInterval() {
    Lane lane = fixtures.attachedLane();
    long intervalMs = Fixtures.limits().pingIntervalNs() / 1_000_000;
    fixtures.takeEffects();
    passBusily(lane, intervalMs + 200);
    assertThat(fixtures.takeEffects()).containsOnlyOnce("Ping");
    fixtures.control(lane, new UpstreamControl.Pong(7));
    assertThat(fixtures.counters.roundTrips().count()).as("another number").isZero();
    fixtures.passMs(30);
    fixtures.control(lane, new UpstreamControl.Pong(1));
    assertThat(fixtures.counters.roundTrips().count()).isOne();
    assertThat(fixtures.counters.roundTrips().sumNs()).isBetween(30_000_000L, 330_000_000L);
    fixtures.control(lane, new UpstreamControl.Pong(1));
    assertThat(fixtures.counters.roundTrips().count()).as("once more").isOne();
    passBusily(lane, intervalMs + 200);
    assertThat(fixtures.takeEffects()).containsOnlyOnce("Ping");
  }

  @Test
  void pong_thatNeverComes_breaksNoBusyLane() {
    Lane lane = fixtures.attachedLane();
    Limits limits = Fixtures.limits();
    fixtures.takeEffects();
    passBusily(lane, 3 * (limits.pingIntervalNs() + limits.laneTimeoutNs()) / 1_000_000);
    assertThat(lane.isOpen()).isTrue();
    assertThat(fixtures.takeEffects()).containsOnlyOnce("Ping");
  }

  @Test
  void end_ofAConnection_countsHowLongItLasted() {
    fixtures.attachedLane();
    Connection connection = fixtures.accept();
    fixtures.passMs(2_000);
    connection.onClientLost(fixtures.nowNs, CloseReason.CLIENT_RESET);
    fixtures.endTurn();
    assertThat(fixtures.counters.connectionDurations().count()).isOne();
    assertThat(fixtures.counters.connectionDurations().sumNs())
        .isBetween(2_000_000_000L, 2_200_000_000L);
  }

  @Test
  void settings_again_changeTheWindowFromTheNextTickOn() {
    Lane lane = fixtures.attachedLane();
    fixtures.control(lane, new UpstreamControl.Settings(1, 10, false));
    Connection connection = fixtures.accept();
    fixtures.data(connection, 30);
    assertThat(fixtures.takeEffects()).contains("data 0+10").doesNotContain("data 10+20");
    fixtures.control(lane, new UpstreamControl.Settings(1, 20, false));
    fixtures.passMs(200);
    assertThat(fixtures.takeEffects()).contains("data 10+10");
    fixtures.control(lane, new UpstreamControl.Settings(1, 0, false));
    fixtures.passMs(200);
    assertThat(fixtures.takeEffects()).contains("data 20+10");
  }

  /** What is under way may be more than a window that has become smaller. */
  @Test
  void settings_againWithASmallerWindow_waitForWhatIsUnderWay() {
    Lane lane = fixtures.attachedLane();
    Connection connection = fixtures.accept();
    fixtures.data(connection, 50);
    fixtures.control(lane, new UpstreamControl.Settings(1, 20, false));
    fixtures.data(connection, 5);
    fixtures.passMs(200);
    fixtures.takeEffects();
    fixtures.receive(fixtures.frame(connection).consumed(30));
    assertThat(fixtures.takeEffects()).doesNotContain("data 50+5");
    fixtures.receive(fixtures.frame(connection).consumed(40));
    assertThat(fixtures.takeEffects()).contains("data 50+5");
  }

  /** An upstream that says them for ever does not count as one that works. */
  @Test
  void settings_againAndAgain_areNoSignOfAHandler() {
    Lane lane = fixtures.attachedLane();
    Connection connection = fixtures.accept();
    fixtures.data(connection, 10);
    for (int second = 0; second < 31 && connection.epoch() == 0; second++) {
      fixtures.passMs(1_000);
      fixtures.control(lane, new UpstreamControl.Settings(1, 10 + second, false));
    }
    assertThat(connection.epoch()).isEqualTo(1);
  }

  @Test
  void lane_silentAfterAPing_isBroken() {
    fixtures.attachedLane();
    fixtures.takeEffects();
    fixtures.passMs(2200);
    assertThat(fixtures.takeEffects()).containsExactly("Ping");
    fixtures.passMs(6200);
    assertThat(fixtures.takeEffects()).startsWith("cancel silent");
  }

  @Test
  void upstream_thatAsksAndDoesNotReadTheAnswers_isLost() {
    fixtures.attachedLane();
    fixtures.isWritable = false;
    for (int i = 0; i <= LaneSender.UNREAD_ANSWERS_MAX; i++) {
      fixtures.receive(new UpstreamFrame().clear().control(push(i)));
    }
    assertThat(fixtures.effects)
        .doesNotContain("cancel it does not read the answers to what it sends");
    fixtures.receive(new UpstreamFrame().clear().connection(77));
    assertThat(fixtures.effects).contains("cancel it does not read the answers to what it sends");
  }

  @Test
  void lane_withoutSettingsWhereTheyAreRequired_isGivenNothingAndBroken() {
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

  /** A pool whose options change: nobody joins a lane that does not fit, and none is cut. */
  @Test
  void acknowledge_requiredByAReload_leavesAtMostOnceConnectionsAndGivesTheLaneNoOthers() {
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
  void acknowledge_neverByAReload_decidesALaneThatHasSaidNothing() {
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
  void fullInitialWindow_withoutAWord_countsAsAtMostOnce() {
    fixtures.upstreams("a:1");
    fixtures.lane().onReady(fixtures.nowNs);
    Connection connection = fixtures.accept();
    connection.onClientBytes(fixtures.nowNs, Fixtures.bytes(Fixtures.WINDOW + 5), false);
    fixtures.takeEffects();
    fixtures.passMs(1200);
    assertThat(fixtures.takeEffects()).containsExactly("data 100+5", "resume");
  }
}
