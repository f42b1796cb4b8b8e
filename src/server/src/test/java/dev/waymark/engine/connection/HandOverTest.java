package dev.waymark.engine.connection;

import static dev.waymark.engine.shard.Fixtures.ownerAddress;
import static dev.waymark.engine.shard.MovingFixtures.STEADY;
import static dev.waymark.engine.shard.MovingFixtures.with;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import dev.waymark.engine.base.Counter;
import dev.waymark.engine.base.PoolOptions.Moving;
import dev.waymark.engine.lane.Lane;
import dev.waymark.engine.lane.LaneInspector;
import dev.waymark.engine.shard.Fixtures;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.ResumeState;
import dev.waymark.protocol.UpstreamControl;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Hand-over of connections by their owner (rule 9). */
class HandOverTest {

  private Fixtures fixtures = with(STEADY);

  @Test
  void upstream_draining_handsItsConnectionsOverWithoutReplay() {
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    fixtures.data(connection, 10);
    fixtures.takeEffects();
    fixtures.draining(lanes.getFirst());
    assertThat(fixtures.takeEffects()).containsExactly("Release");
    fixtures.data(connection, 5);
    assertThat(fixtures.takeEffects()).containsExactly("pause");
    fixtures.released(connection, 10);
    assertThat(ownerAddress(connection)).isEqualTo("b:1");
    assertThat(fixtures.takeEffects()).containsExactly("resume", "Open", "data 10+5");
    assertThat(fixtures.counters.total(Counter.REPLAYED_BYTES)).isZero();
    assertThat(fixtures.counters.moved(ResumeState.Cause.DRAINING)).isOne();
  }

  @Test
  void owner_thatDoesNotRelease_isFencedAfterTheTimeout() {
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    fixtures.data(connection, 10);
    fixtures.draining(lanes.getFirst());
    fixtures.takeEffects();
    fixtures.passWithPongs(10_200);
    assertThat(ownerAddress(connection)).isEqualTo("b:1");
    assertThat(fixtures.takeEffects())
        .filteredOn(effect -> !effect.equals("Ping"))
        .containsExactly("Close FENCED", "Open", "data 0+10");
  }

  @Test
  void forceMove_withoutOwner_isADefect() {
    Connection waiting = fixtures.accept();
    assertThatThrownBy(() -> waiting.forceMove(fixtures.nowNs, ResumeState.Cause.DRAINING))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the connection has an owner");
  }

  @Test
  void upstream_drainingAlone_keepsItsConnections() {
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "!b:1");
    Connection connection = fixtures.accept();
    fixtures.draining(lanes.getFirst());
    fixtures.data(connection, 10);
    fixtures.answer(connection, fixtures.frame(connection).consumed(10));
    fixtures.passWithPongs(120_000);
    assertThat(fixtures.takeEffects()).contains("data 0+10").doesNotContain("Release");
    fixtures.upstreams("a:1", "b:1");
    assertThat(fixtures.takeEffects()).contains("Release");
  }

  @Test
  void handOver_refusedByAll_returnsToTheFormerOwner() {
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    fixtures.draining(lanes.getFirst());
    fixtures.released(connection, 0);
    assertThat(ownerAddress(connection)).isEqualTo("b:1");
    fixtures.refuse(connection);
    assertThat(ownerAddress(connection)).isEqualTo("a:1");
    fixtures.takeEffects();
    fixtures.passMs(60);
    assertThat(fixtures.takeEffects()).doesNotContain("Release");
  }

  @Test
  void handOver_afterReturningToTheFormerOwner_triesAllUpstreamsAgain() {
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    fixtures.draining(lanes.getFirst());
    fixtures.released(connection, 0);
    fixtures.refuse(connection);
    assertThat(ownerAddress(connection)).isEqualTo("a:1");
    fixtures.passMs(300);
    assertThat(connection.ownership().handOver()).isNotNull();
    fixtures.released(connection, 0);
    assertThat(ownerAddress(connection)).isEqualTo("b:1");
  }

  @Test
  void lane_brokenDuringAHandOver_isReplayedElsewhere() {
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    fixtures.data(connection, 10);
    fixtures.draining(lanes.getFirst());
    fixtures.takeEffects();
    fixtures.broken(lanes.getFirst());
    assertThat(fixtures.takeEffects()).containsExactly("Open", "data 0+10");
  }

  @Test
  void released_asTheLastFrameOfACommit_handsOver() {
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    fixtures.data(connection, 10);
    fixtures.draining(lanes.getFirst());
    fixtures.answer(connection, fixtures.frame(connection).payload(Fixtures.bytes(3)).more(true));
    fixtures.takeEffects();
    fixtures.released(connection, 10);
    assertThat(ownerAddress(connection)).isEqualTo("b:1");
    assertThat(fixtures.takeEffects()).contains("Open").doesNotContain("Close FENCED");
  }

  @Test
  void released_withReplyAndHalfClose_isCommittedBeforeTheHandOver() {
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    fixtures.data(connection, 10);
    fixtures.draining(lanes.getFirst());
    fixtures.takeEffects();
    fixtures.answer(
        connection,
        fixtures
            .frame(connection)
            .payload(Fixtures.bytes(3))
            .consumed(7)
            .context(new byte[] {1})
            .halfClose(true)
            .control(new UpstreamControl.Released()));
    assertThat(ownerAddress(connection)).isEqualTo("b:1");
    assertThat(fixtures.takeEffects()).containsExactly("written 3", "FIN", "Open", "data 7+3");
    ResumeState left = Objects.requireNonNull(fixtures.opens.getLast().resumeState());
    assertThat(left.committed()).isEqualTo(3);
    assertThat(left.committedSinceConsumed()).isZero();
    assertThat(left.isRepliesEnded()).isTrue();
    assertThat(left.context()).containsExactly(1);
  }

  @Test
  void released_unasked_isAViolation() {
    fixtures.acknowledgingLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    fixtures.released(connection, 0);
    assertThat(fixtures.summaries)
        .extracting(ConnectionSummary::reason)
        .containsExactly(CloseReason.PROTOCOL);
  }

  @Test
  void moves_ofManyConnections_beginAtTheConfiguredRate() {
    fixtures =
        with(
            Moving.builder()
                .progressTimeoutNs(0)
                .drainTimeoutNs(0)
                .movesPerSecond(10)
                .isRebalancing(false)
                .build());
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1");
    IntStream.range(0, 100).forEach(i -> fixtures.accept());
    fixtures.passWithPongs(1_000);
    fixtures.takeEffects();
    fixtures.draining(lanes.getFirst());
    fixtures.passMs(5_000);
    assertThat(fixtures.takeEffects()).filteredOn("Release"::equals).hasSizeBetween(45, 55);
  }

  @Test
  void upstreams_added_getTheirShareAndNoMore() {
    fixtures = with(Moving.DEFAULTS);
    fixtures.acknowledgingLanes("a:1", "b:1", "c:1");
    List<Connection> connections = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      connections.add(fixtures.accept());
    }
    spread(connections, 5_000);
    assertThat(connections)
        .extracting(Fixtures::ownerAddress)
        .filteredOn("a:1"::equals)
        .hasSize(10);
    long before = fixtures.counters.moved(ResumeState.Cause.REBALANCE);
    fixtures.acknowledgingLanes("a:1", "b:1", "c:1", "d:1", "e:1");
    spread(connections, 5_000);
    for (String address : List.of("a:1", "b:1", "c:1", "d:1", "e:1")) {
      assertThat(connections)
          .extracting(Fixtures::ownerAddress)
          .filteredOn(address::equals)
          .hasSize(6);
    }
    assertThat(fixtures.counters.moved(ResumeState.Cause.REBALANCE) - before).isEqualTo(12);
    assertThat(fixtures.counters.total(Counter.REPLAYED_BYTES)).isZero();
  }

  @Test
  void lane_notWritableFromReleases_doesNotStopRebalancing() {
    fixtures =
        with(
            Moving.builder().progressTimeoutNs(0).drainTimeoutNs(0).movesPerSecond(20_000).build());
    fixtures.acknowledgingLanes("a:1");
    IntStream.range(0, 2_000).forEach(i -> fixtures.accept());
    fixtures.acknowledgingLanes("a:1", "b:1", "c:1");
    fixtures.passMs(900);
    fixtures.takeEffects();
    fixtures.isWritable = false;
    fixtures.passMs(300);
    assertThat(fixtures.takeEffects()).filteredOn("Release"::equals).hasSizeGreaterThan(1_000);
  }

  @Test
  void lane_fullWhenRebalancingIsDue_stillGivesItsSurplus() {
    fixtures = with(Moving.DEFAULTS);
    Lane busy = fixtures.acknowledgingLanes("a:1").getFirst();
    IntStream.range(0, 10).forEach(i -> fixtures.accept());
    fixtures.acknowledgingLanes("a:1", "b:1");
    fixtures.isWritable = false;
    LaneInspector.ping(busy);
    fixtures.endTurn();
    fixtures.isWritable = true;
    fixtures.takeEffects();
    fixtures.passMs(1_200);
    assertThat(fixtures.takeEffects()).filteredOn("Release"::equals).hasSize(5);
  }

  /** Also if the hand-over takes longer than the time between checks of the shares. */
  @ParameterizedTest
  @ValueSource(longs = {1_200, 8_000})
  void destination_fullAtTheHandOver_getsItsShareLater(long handOverMs) {
    fixtures = with(Moving.DEFAULTS);
    fixtures.acknowledgingLanes("a:1");
    List<Connection> connections = Stream.generate(fixtures::accept).limit(12).toList();
    Lane full = fixtures.acknowledgingLanes("a:1", "b:1", "c:1").getFirst();
    fixtures.passWithPongs(handOverMs);
    fixtures.isWritable = false;
    LaneInspector.ping(full);
    fixtures.endTurn();
    fixtures.isWritable = true;
    releaseAll(connections);
    assertThat(shares(connections)).containsOnly(entry("a:1", 4L), entry("c:1", 8L));
    full.onReady(fixtures.nowNs);
    spread(connections, 5_000);
    assertThat(shares(connections))
        .containsOnly(entry("a:1", 4L), entry("b:1", 4L), entry("c:1", 4L));
  }

  @Test
  void destinationsThatRefuse_areNotAskedForEver() {
    fixtures = with(Moving.DEFAULTS);
    fixtures.acknowledgingLanes("a:1");
    List<Connection> connections = Stream.generate(fixtures::accept).limit(10).toList();
    fixtures.acknowledgingLanes("a:1", "b:1");
    for (int i = 0; i < 600; i++) {
      fixtures.passWithPongs(100);
      releaseAll(connections);
      connections.stream()
          .filter(connection -> ownerAddress(connection).equals("b:1"))
          .forEach(fixtures::refuse);
    }
    assertThat(shares(connections)).containsOnly(entry("a:1", 10L));
    assertThat(fixtures.counters.moved(ResumeState.Cause.REBALANCE)).isLessThanOrEqualTo(25);
  }

  private void releaseAll(List<Connection> connections) {
    for (Connection connection : connections) {
      if (connection.ownership().handOver() != null) {
        fixtures.released(connection, 0);
      }
    }
  }

  private static Map<String, Long> shares(List<Connection> connections) {
    return connections.stream()
        .collect(Collectors.groupingBy(Fixtures::ownerAddress, Collectors.counting()));
  }

  /** Lets time pass while owners answer each Release at once. */
  private void spread(List<Connection> connections, long ms) {
    for (long passed = 0; passed < ms; passed += 100) {
      fixtures.passMs(100);
      releaseAll(connections);
    }
  }
}
