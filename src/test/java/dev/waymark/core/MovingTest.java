package dev.waymark.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.core.PoolOptions.Acknowledge;
import dev.waymark.core.PoolOptions.Moving;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Connections that change their owner: rules 3, 7, 8 and 9. */
class MovingTest {
  private static final long MS = Fixtures.MS;

  /** Nothing moves but what a test asks for. */
  private static final Moving STEADY =
      new Moving(30_000 * MS, 10_000 * MS, 60_000 * MS, 2_000, false, false, false);

  private Fixtures fixtures = with(STEADY);

  private static Fixtures with(Moving moving) {
    return new Fixtures(
        new PoolOptions("pool", Acknowledge.AUTO, 5000 * MS, 30, moving), 0, 1_000_000);
  }

  private static Moving following() {
    return new Moving(30_000 * MS, 10_000 * MS, 60_000 * MS, 2_000, false, true, false);
  }

  private static Moving reopeningPlain() {
    return new Moving(30_000 * MS, 10_000 * MS, 60_000 * MS, 2_000, false, false, true);
  }

  private void data(Connection connection, int bytes) {
    connection.onClientBytes(fixtures.nowNs, Fixtures.bytes(bytes), false);
    fixtures.endTurn();
  }

  private void draining(Lane lane) {
    lane.onFrame(
        fixtures.nowNs, new UpstreamFrame().clear().control(new UpstreamControl.Draining()));
    fixtures.endTurn();
  }

  private void refuse(Connection connection) {
    fixtures.answer(connection, fixtures.frame(connection).close(CloseReason.BUSY.wireCode()));
  }

  /** Both lanes answer Pings meanwhile. */
  private void pass(long ms) {
    for (long left = ms; left > 0; left -= 1_000) {
      fixtures.passMs(Math.min(left, 1_000));
      for (Lane lane : List.copyOf(fixtures.lanes)) {
        lane.onFrame(
            fixtures.nowNs, new UpstreamFrame().clear().control(new UpstreamControl.Pong(1)));
      }
      fixtures.endTurn();
    }
  }

  private static String owner(Connection connection) {
    Lane lane = connection.lane();
    return lane == null ? "nobody" : lane.upstream().address();
  }

  // --- refusals ---

  @Test
  void open_refused_isTriedAtTheOthersAndOnlyAfterAWaitAgain() {
    fixtures.attachedLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    data(connection, 10);
    assertThat(owner(connection)).isEqualTo("a:1");
    refuse(connection);
    assertThat(owner(connection)).isEqualTo("b:1");
    refuse(connection);
    assertThat(owner(connection)).isEqualTo("nobody");
    fixtures.takeEffects();
    fixtures.passMs(200);
    assertThat(owner(connection)).isEqualTo("a:1");
    assertThat(fixtures.takeEffects()).containsExactly("Open", "data 0+10");
  }

  @Test
  void open_refusedByAllForTooLong_closesWithTheirReason() {
    fixtures.attachedLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    for (int i = 0; i < 100 && fixtures.summaries.isEmpty(); i++) {
      if (connection.lane() != null) {
        refuse(connection);
      }
      fixtures.passMs(100);
      connection.onClientEnd(fixtures.nowNs);
    }
    assertThat(fixtures.summaries)
        .singleElement()
        .satisfies(summary -> assertThat(summary.reason()).isEqualTo(CloseReason.BUSY));
  }

  // --- clocks ---

  @Test
  void owner_withoutASignOfWork_isFencedOnceAndAnotherGetsTheBytes() {
    fixtures.attachedLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    Connection idle = fixtures.accept();
    data(connection, 10);
    fixtures.takeEffects();
    pass(29_000);
    assertThat(owner(connection)).isEqualTo("a:1");
    fixtures.takeEffects();
    pass(1_200);
    assertThat(owner(connection)).isEqualTo("b:1");
    assertThat(owner(idle)).isEqualTo("a:1");
    assertThat(fixtures.takeEffects())
        .filteredOn(effect -> !effect.equals("Ping"))
        .containsExactly("Close FENCED", "Open", "data 0+10");
  }

  @Test
  void owner_thatSaysItStillWorks_keepsTheConnection() {
    fixtures.attachedLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    data(connection, 10);
    for (int i = 0; i < 5; i++) {
      pass(20_000);
      fixtures.answer(connection, fixtures.frame(connection));
    }
    assertThat(owner(connection)).isEqualTo("a:1");
  }

  @Test
  void window_fullWithoutConsumed_closesThoughFramesCome() {
    fixtures.attachedLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    data(connection, Fixtures.WINDOW + 1);
    for (int i = 0; i < 4 && connection.lane() != null; i++) {
      pass(10_000);
      if (connection.lane() != null) {
        fixtures.answer(connection, fixtures.frame(connection));
      }
    }
    connection.onClientEnd(fixtures.nowNs);
    assertThat(fixtures.summaries)
        .singleElement()
        .satisfies(summary -> assertThat(summary.reason()).isEqualTo(CloseReason.WINDOW_STALLED));
  }

  @Test
  void lane_ofWhichMostStall_isSuspected() {
    fixtures.attachedLanes("a:1", "b:1");
    for (int i = 0; i < 4; i++) {
      data(fixtures.accept(), 10);
    }
    pass(30_200);
    assertThat(fixtures.suspicions).contains("a:1 STALLED");
  }

  @Test
  void lane_ofWhichOneStalls_isNotSuspected() {
    fixtures.attachedLanes("a:1", "b:1");
    Connection hung = fixtures.accept();
    data(hung, 10);
    pass(30_200);
    assertThat(owner(hung)).isEqualTo("b:1");
    assertThat(fixtures.suspicions).isEmpty();
  }

  // --- hand-overs ---

  @Test
  void upstream_draining_handsItsConnectionsOverAndNothingIsReplayed() {
    List<Lane> lanes = fixtures.attachedLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    data(connection, 10);
    fixtures.takeEffects();
    draining(lanes.getFirst());
    assertThat(fixtures.takeEffects()).containsExactly("Release");
    data(connection, 5);
    assertThat(fixtures.takeEffects()).containsExactly("pause");
    fixtures.released(connection, 10);
    assertThat(owner(connection)).isEqualTo("b:1");
    assertThat(fixtures.takeEffects()).containsExactly("resume", "Open", "data 10+5");
    assertThat(fixtures.counters.total(Counter.REPLAYED_BYTES)).isZero();
    assertThat(fixtures.counters.moved(Reopen.Cause.DRAINING)).isOne();
  }

  @Test
  void owner_thatDoesNotRelease_isFencedAfterItsTime() {
    List<Lane> lanes = fixtures.attachedLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    data(connection, 10);
    draining(lanes.getFirst());
    fixtures.takeEffects();
    pass(10_200);
    assertThat(owner(connection)).isEqualTo("b:1");
    assertThat(fixtures.takeEffects())
        .filteredOn(effect -> !effect.equals("Ping"))
        .containsExactly("Close FENCED", "Open", "data 0+10");
  }

  @Test
  void upstream_drainingAlone_keepsItsConnections() {
    List<Lane> lanes = fixtures.attachedLanes("a:1", "!b:1");
    Connection connection = fixtures.accept();
    draining(lanes.getFirst());
    data(connection, 10);
    fixtures.answer(connection, fixtures.frame(connection).consumed(10));
    pass(120_000);
    assertThat(fixtures.takeEffects()).contains("data 0+10").doesNotContain("Release");
    fixtures.upstreams("a:1", "b:1");
    assertThat(fixtures.takeEffects()).contains("Release");
  }

  @Test
  void handOver_refusedByAll_endsAtTheFormerOwner() {
    List<Lane> lanes = fixtures.attachedLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    draining(lanes.getFirst());
    fixtures.released(connection, 0);
    assertThat(owner(connection)).isEqualTo("b:1");
    refuse(connection);
    assertThat(owner(connection)).isEqualTo("a:1");
    fixtures.takeEffects();
    fixtures.passMs(60);
    assertThat(fixtures.takeEffects()).doesNotContain("Release");
  }

  @Test
  void lane_brokenDuringAHandOver_isReplayedElsewhere() {
    List<Lane> lanes = fixtures.attachedLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    data(connection, 10);
    draining(lanes.getFirst());
    fixtures.takeEffects();
    lanes.getFirst().onBroken(fixtures.nowNs, "test");
    fixtures.endTurn();
    assertThat(fixtures.takeEffects()).containsExactly("Open", "data 0+10");
  }

  @Test
  void released_unasked_isABreach() {
    fixtures.attachedLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    fixtures.released(connection, 0);
    assertThat(fixtures.summaries)
        .singleElement()
        .satisfies(summary -> assertThat(summary.reason()).isEqualTo(CloseReason.PROTOCOL));
  }

  @Test
  void moves_beginAtTheRate() {
    fixtures = with(new Moving(0, 10_000 * MS, 0, 10, false, false, false));
    List<Lane> lanes = fixtures.attachedLanes("a:1", "b:1");
    IntStream.range(0, 100).forEach(i -> fixtures.accept());
    pass(1_000);
    fixtures.takeEffects();
    draining(lanes.getFirst());
    fixtures.passMs(5_000);
    assertThat(fixtures.takeEffects()).filteredOn("Release"::equals).hasSizeBetween(45, 55);
  }

  @Test
  void plainUpstream_draining_keepsItsConnectionsUntilTheDrainTimeout() {
    fixtures.upstreams("a:1", "b:1");
    fixtures.lanes.forEach(lane -> lane.onReady(fixtures.nowNs));
    fixtures.endTurn();
    Connection connection = fixtures.accept();
    Lane lane = Fixtures.owner(connection);
    lane.onFrame(fixtures.nowNs, fixtures.frame(connection));
    draining(lane);
    fixtures.passMs(59_000);
    assertThat(owner(connection)).isEqualTo("a:1");
    fixtures.passMs(1_500);
    connection.onClientEnd(fixtures.nowNs);
    assertThat(fixtures.summaries)
        .singleElement()
        .satisfies(summary -> assertThat(summary.reason()).isEqualTo(CloseReason.SHUTTING_DOWN));
  }

  @Test
  void plainUpstream_lost_isReopenedWhereThePoolSaysSo() {
    fixtures = with(reopeningPlain());
    fixtures.upstreams("a:1", "b:1");
    fixtures.lanes.forEach(lane -> lane.onReady(fixtures.nowNs));
    fixtures.endTurn();
    Connection connection = fixtures.accept();
    data(connection, 10);
    Lane lane = Fixtures.owner(connection);
    lane.onFrame(fixtures.nowNs, fixtures.frame(connection));
    fixtures.takeEffects();
    lane.onBroken(fixtures.nowNs, "test");
    fixtures.endTurn();
    assertThat(owner(connection)).isEqualTo("b:1");
    assertThat(fixtures.takeEffects()).containsExactly("Open");
  }

  // --- leaders ---

  @Test
  void leader_changed_takesEveryConnectionAndNobodyElseIsSentBytes() {
    fixtures = with(following());
    fixtures.attachedLanes("a:1", "!b:1");
    Connection connection = fixtures.accept();
    data(connection, 10);
    fixtures.answer(connection, fixtures.frame(connection).consumed(10));
    fixtures.takeEffects();
    fixtures.upstreams("!a:1", "!b:1");
    data(connection, 5);
    assertThat(fixtures.takeEffects()).containsExactly("pause");
    fixtures.upstreams("!a:1", "b:1");
    assertThat(fixtures.takeEffects()).containsExactly("Release");
    fixtures.released(connection, 10);
    assertThat(fixtures.takeEffects()).containsExactly("resume", "Open", "data 10+5");
    assertThat(owner(connection)).isEqualTo("b:1");
  }

  @Test
  void leader_thatComesBack_goesOnWithWhatWaited() {
    fixtures = with(following());
    fixtures.attachedLanes("a:1", "!b:1");
    Connection connection = fixtures.accept();
    fixtures.upstreams("!a:1", "!b:1");
    data(connection, 5);
    fixtures.takeEffects();
    fixtures.upstreams("a:1", "!b:1");
    assertThat(fixtures.takeEffects()).containsExactly("data 0+5", "resume");
  }

  @Test
  void leader_missingForTooLong_endsThoseWhoWaitOnly() {
    fixtures = with(following());
    fixtures.attachedLanes("a:1", "!b:1");
    Connection waiting = fixtures.accept();
    Connection idle = fixtures.accept();
    fixtures.upstreams("!a:1", "!b:1");
    data(waiting, 5);
    pass(5_200);
    waiting.onClientEnd(fixtures.nowNs);
    assertThat(fixtures.summaries)
        .singleElement()
        .satisfies(summary -> assertThat(summary.reason()).isEqualTo(CloseReason.NO_UPSTREAM));
    assertThat(owner(idle)).isEqualTo("a:1");
  }

  // --- rebalancing ---

  @Test
  void upstreams_thatCome_getTheirShareAndNoMore() {
    fixtures = with(Moving.DEFAULTS);
    fixtures.attachedLanes("a:1", "b:1", "c:1");
    List<Connection> connections = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      connections.add(fixtures.accept());
    }
    spread(connections, 5_000);
    assertThat(connections).extracting(MovingTest::owner).filteredOn("a:1"::equals).hasSize(10);
    long before = fixtures.counters.moved(Reopen.Cause.REBALANCE);
    fixtures.attachedLanes("a:1", "b:1", "c:1", "d:1", "e:1");
    spread(connections, 5_000);
    for (String address : List.of("a:1", "b:1", "c:1", "d:1", "e:1")) {
      assertThat(connections).extracting(MovingTest::owner).filteredOn(address::equals).hasSize(6);
    }
    assertThat(fixtures.counters.moved(Reopen.Cause.REBALANCE) - before).isEqualTo(12);
    assertThat(fixtures.counters.total(Counter.REPLAYED_BYTES)).isZero();
  }

  /** Owners answer each Release at once. */
  private void spread(List<Connection> connections, long ms) {
    for (long passed = 0; passed < ms; passed += 100) {
      fixtures.passMs(100);
      for (Connection connection : connections) {
        if (connection.ownership().handOver() != null) {
          fixtures.released(connection, 0);
        }
      }
    }
  }

  // --- lanes that come back ---

  @Test
  void lane_toAnUpstreamThatAcknowledged_getsNothingUntilItDoesSoAgain() {
    Lane first = fixtures.attachedLane();
    Connection connection = fixtures.accept();
    data(connection, 10);
    first.onBroken(fixtures.nowNs, "silent");
    fixtures.passMs(500);
    Lane second = fixtures.lane();
    assertThat(second).isNotSameAs(first);
    second.onReady(fixtures.nowNs);
    fixtures.endTurn();
    assertThat(owner(connection)).isEqualTo("nobody");
    fixtures.settings(second);
    assertThat(connection.lane()).isSameAs(second);
  }

  @Test
  void reopens_ofManyConnections_takeSeveralTurns() {
    List<Lane> lanes = fixtures.attachedLanes("a:1", "b:1");
    List<Connection> connections = new ArrayList<>();
    for (int i = 0; i < ShardPool.PLACED_PER_TURN + 1; i++) {
      connections.add(fixtures.accept());
    }
    lanes.getFirst().onBroken(fixtures.nowNs, "test");
    fixtures.endTurn();
    assertThat(connections).extracting(MovingTest::owner).filteredOn("nobody"::equals).hasSize(1);
    fixtures.endTurn();
    assertThat(connections).extracting(MovingTest::owner).containsOnly("b:1");
  }
}
