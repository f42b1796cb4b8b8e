package dev.waymark.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.core.PoolOptions.Acknowledge;
import dev.waymark.core.PoolOptions.Moving;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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
    assertThat(fixtures.suspicions).containsExactly("a:1 OPEN_REFUSED");
    refuse(connection);
    assertThat(owner(connection)).isEqualTo("nobody");
    fixtures.takeEffects();
    fixtures.passMs(200);
    assertThat(owner(connection)).isEqualTo("a:1");
    assertThat(fixtures.takeEffects()).containsExactly("Open", "data 0+10");
    assertThat(fixtures.counters.total(Counter.REPLAYED_BYTES)).isEqualTo(20);
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

  @Test
  void owner_thatSaysSettingsLate_isUnderTheClockFromThenOn() {
    fixtures = new Fixtures(new PoolOptions("pool", Acknowledge.AUTO, 0, 30, STEADY), 0, 1_000_000);
    fixtures.upstreams("a:1", "b:1");
    fixtures.lanes.forEach(lane -> lane.onReady(fixtures.nowNs));
    fixtures.endTurn();
    Connection connection = fixtures.accept();
    data(connection, 10);
    fixtures.passMs(1_000);
    fixtures.lanes.forEach(fixtures::settings);
    pass(29_000);
    assertThat(owner(connection)).isEqualTo("a:1");
    pass(1_200);
    assertThat(owner(connection)).isEqualTo("b:1");
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
  void handOver_backToTheFormerOwner_asksEverybodyAnewTheNextTime() {
    List<Lane> lanes = fixtures.attachedLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    draining(lanes.getFirst());
    fixtures.released(connection, 0);
    refuse(connection);
    assertThat(owner(connection)).isEqualTo("a:1");
    fixtures.passMs(300);
    assertThat(connection.ownership().handOver()).isNotNull();
    fixtures.released(connection, 0);
    assertThat(owner(connection)).isEqualTo("b:1");
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
  void released_asTheLastFrameOfACommitInParts_handsOver() {
    List<Lane> lanes = fixtures.attachedLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    data(connection, 10);
    draining(lanes.getFirst());
    fixtures.answer(connection, fixtures.frame(connection).payload(Fixtures.bytes(3)).more(true));
    fixtures.takeEffects();
    fixtures.released(connection, 10);
    assertThat(owner(connection)).isEqualTo("b:1");
    assertThat(fixtures.takeEffects()).contains("Open").doesNotContain("Close FENCED");
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

  @Test
  void plainUpstream_followedByOneWithCredit_mayHaveGonePastItsLimit() {
    fixtures = with(reopeningPlain());
    fixtures.upstreams("a:1", "b:1");
    fixtures.lanes.forEach(lane -> lane.onReady(fixtures.nowNs));
    fixtures.endTurn();
    Connection connection = fixtures.accept();
    Lane plain = Fixtures.owner(connection);
    fixtures.isKernelFull = true;
    plain.onFrame(
        fixtures.nowNs, fixtures.frame(connection).payload(Fixtures.bytes(Fixtures.GRANT + 10)));
    fixtures.settings(fixtures.lanes.getLast());
    plain.onBroken(fixtures.nowNs, "test");
    fixtures.endTurn();
    assertThat(owner(connection)).isEqualTo("b:1");
    fixtures.answer(connection, fixtures.frame(connection).consumed(0));
    assertThat(owner(connection)).isEqualTo("b:1");
  }

  @Test
  void plainUpstream_lostAfterReplies_nothingOfTheNextReplyIsSkipped() {
    fixtures = with(reopeningPlain());
    fixtures.upstreams("a:1", "b:1");
    fixtures.lanes.forEach(lane -> lane.onReady(fixtures.nowNs));
    fixtures.endTurn();
    Connection connection = fixtures.accept();
    data(connection, 10);
    fixtures.answer(connection, fixtures.frame(connection).payload(Fixtures.bytes(10)));
    Fixtures.owner(connection).onBroken(fixtures.nowNs, "test");
    fixtures.endTurn();
    assertThat(fixtures.opens.getLast().reopen())
        .satisfies(reopen -> {
          assertThat(reopen.taken()).isEqualTo(10);
          assertThat(reopen.takenSinceConsumed()).isZero();
        });
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

  @Test
  void leader_missing_leavesBytesTheirWholeTimeWheneverTheyCome() {
    fixtures = with(new Moving(0, 10_000 * MS, 0, 2_000, false, true, false));
    fixtures.attachedLanes("a:1", "!b:1");
    Connection connection = fixtures.accept();
    fixtures.upstreams("!a:1", "!b:1");
    pass(60_000);
    data(connection, 5);
    pass(4_000);
    assertThat(fixtures.summaries).isEmpty();
    assertThat(owner(connection)).isEqualTo("a:1");
    pass(1_200);
    assertThat(owner(connection)).isEqualTo("nobody");
  }

  @Test
  void leader_changedFromOneThatCannotHandOver_isFollowedWherePlainConnectionsGoOn() {
    fixtures = with(new Moving(0, 10_000 * MS, 0, 2_000, false, true, true));
    fixtures.upstreams("a:1", "!b:1");
    fixtures.lanes.forEach(lane -> lane.onReady(fixtures.nowNs));
    fixtures.endTurn();
    Connection connection = fixtures.accept();
    Fixtures.owner(connection).onFrame(fixtures.nowNs, fixtures.frame(connection));
    fixtures.upstreams("!a:1", "b:1");
    fixtures.endTurn();
    assertThat(owner(connection)).isEqualTo("b:1");
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

  @Test
  void lane_filledByReleases_endsNoRebalancing() {
    fixtures = with(new Moving(0, 10_000 * MS, 0, 20_000, true, false, false));
    fixtures.attachedLanes("a:1");
    IntStream.range(0, 2_000).forEach(i -> fixtures.accept());
    fixtures.attachedLanes("a:1", "b:1", "c:1");
    fixtures.passMs(900);
    fixtures.takeEffects();
    fixtures.isWritable = false;
    fixtures.passMs(300);
    assertThat(fixtures.takeEffects()).filteredOn("Release"::equals).hasSizeGreaterThan(1_000);
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
  void connection_awayAndBackOnOneLane_framesOfTheFirstTimeAreFenced() {
    List<Lane> lanes = fixtures.attachedLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    UpstreamFrame late = fixtures.frame(connection).payload(Fixtures.bytes(5)).consumed(10);
    data(connection, 10);
    pass(30_200);
    assertThat(owner(connection)).isEqualTo("b:1");
    lanes.getLast().onBroken(fixtures.nowNs, "test");
    fixtures.endTurn();
    pass(200);
    assertThat(connection.lane()).isSameAs(lanes.getFirst());
    assertThat(connection.epoch()).isEqualTo(2);
    fixtures.takeEffects();
    lanes.getFirst().onFrame(fixtures.nowNs, late);
    fixtures.endTurn();
    assertThat(fixtures.takeEffects()).isEmpty();
    assertThat(fixtures.counters.total(Counter.FRAMES_FENCED)).isOne();
    fixtures.answer(connection, fixtures.frame(connection).payload(Fixtures.bytes(3)).consumed(10));
    assertThat(fixtures.takeEffects()).contains("written 3");
  }

  /** Before the lane is established, and right after the Open. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void upstream_flappingBeforeAnOpenIsAnswered_leaksNothingAndEveryWaitEnds(boolean isOpened) {
    List<Connection> connections = new ArrayList<>();
    fixtures.upstreams("a:1");
    for (int i = 0; i < 3; i++) {
      connections.add(fixtures.accept());
      data(connections.getLast(), 10);
    }
    connections.getFirst().onClientLost(fixtures.nowNs, CloseReason.CLIENT_RESET);
    for (int i = 0; i < 200; i++) {
      Lane lane = fixtures.lane();
      if (isOpened) {
        lane.onReady(fixtures.nowNs);
        fixtures.endTurn();
      }
      lane.onBroken(fixtures.nowNs, "flap");
      fixtures.upstreams("!a:1");
      int known = fixtures.lanes.size();
      fixtures.upstreams("a:1");
      for (int wait = 0; fixtures.lanes.size() == known && wait < 30; wait++) {
        fixtures.passMs(100);
      }
    }
    connections.forEach(connection -> connection.onClientEnd(fixtures.nowNs));
    assertThat(fixtures.summaries)
        .extracting(ConnectionSummary::reason)
        .hasSize(3)
        .first()
        .isEqualTo(CloseReason.CLIENT_RESET);
    assertThat(fixtures.summaries.subList(1, 3))
        .extracting(ConnectionSummary::reason)
        .containsOnly(isOpened ? CloseReason.POISON : CloseReason.NO_UPSTREAM);
    assertThat(fixtures.budget.usedBytes()).isZero();
    assertThat(fixtures.counters.total(Counter.CONNECTIONS_ATTACHED))
        .isEqualTo(fixtures.counters.total(Counter.CONNECTIONS_DETACHED));
    fixtures.upstreams();
    fixtures.lane().onBroken(fixtures.nowNs, "gone");
    fixtures.endTurn();
    assertThat(fixtures.forgotten).contains("a:1");
  }

  @Test
  void connections_onTheirLastChance_areOpenedOneAfterTheOther() {
    List<Lane> lanes = fixtures.attachedLanes("a:1", "b:1", "c:1");
    List<Connection> suspects = List.of(fixtures.accept(), fixtures.accept(), fixtures.accept());
    suspects.forEach(suspect -> data(suspect, 10));
    lanes.get(0).onBroken(fixtures.nowNs, "test");
    fixtures.endTurn();
    assertThat(suspects).extracting(MovingTest::owner).containsOnly("b:1");
    lanes.get(1).onBroken(fixtures.nowNs, "test");
    fixtures.endTurn();
    assertThat(suspects)
        .extracting(MovingTest::owner)
        .containsExactlyInAnyOrder("c:1", "nobody", "nobody");
    Connection first =
        suspects.stream().filter(one -> one.lane() != null).findFirst().orElseThrow();
    fixtures.answer(first, fixtures.frame(first).consumed(10));
    assertThat(suspects)
        .extracting(MovingTest::owner)
        .containsExactlyInAnyOrder("c:1", "c:1", "nobody");
    fixtures.passMs(200);
    assertThat(suspects).extracting(MovingTest::owner).containsOnly("c:1");
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
