package dev.waymark.engine.pool;

import static dev.waymark.engine.shard.Fixtures.owner;
import static dev.waymark.engine.shard.MovingFixtures.STEADY;
import static dev.waymark.engine.shard.MovingFixtures.with;
import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.engine.base.Counter;
import dev.waymark.engine.base.PoolOptions;
import dev.waymark.engine.base.PoolOptions.Acknowledge;
import dev.waymark.engine.base.PoolOptions.Moving;
import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.connection.ConnectionInspector;
import dev.waymark.engine.lane.Lane;
import dev.waymark.engine.shard.Fixtures;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A lane whose upstream announces the end of the transport is replaced before it comes. */
class GoAwayTest {
  private final Fixtures fixtures = with(STEADY);
  private final Lane former = fixtures.acknowledgingLane();

  @Test
  void lane_goingAway_isReplacedByOneToTheSameUpstream_andHandsOverItsConnections() {
    Connection connection = fixtures.accept();
    fixtures.data(connection, 10);
    fixtures.answer(connection, fixtures.frame(connection).consumed(4));
    fixtures.passWithPongs(1_000);
    former.onGoAway();
    fixtures.passWithPongs(200);
    Lane next = fixtures.lane();
    assertThat(next).isNotSameAs(former);
    fixtures.takeEffects();

    fixtures.settings(next);
    fixtures.passWithPongs(200);
    assertThat(fixtures.takeEffects()).contains("Release");
    fixtures.released(connection, 4);
    assertThat(fixtures.takeEffects()).containsExactly("finish a:1", "Open", "data 4+6");
    assertThat(owner(connection)).isSameAs(next);
    assertThat(fixtures.counters.total(Counter.LANES_REPLACED)).isEqualTo(1);
    assertThat(fixtures.counters.total(Counter.LANES_BROKEN)).isZero();
    assertThat(fixtures.outlierSignals).isEmpty();
  }

  /** GOAWAY forbids new streams, not new connections on the stream that there is. */
  @Test
  void lane_goingAway_servesUntilItsSuccessorDoes() {
    fixtures.passWithPongs(1_000);
    former.onGoAway();
    fixtures.passWithPongs(200);
    assertThat(fixtures.lane()).isNotSameAs(former);
    Connection connection = fixtures.accept();
    assertThat(owner(connection)).isSameAs(former);
  }

  /** A server may announce the end of every connection as soon as it is there. */
  @Test
  void lanes_goingAwayAllTheTime_areNotReplacedAllTheTime() {
    former.onGoAway();
    for (int i = 0; i < 100; i++) {
      fixtures.passWithPongs(100);
      Lane last = fixtures.lane();
      if (!last.isOpen()) {
        fixtures.settings(last);
      }
      last.onGoAway();
    }
    assertThat(fixtures.lanes).hasSizeLessThan(60);
  }

  @Test
  void lane_goingAwayFromAnUpstreamThatTakesNoOther_keepsServing() {
    Connection connection = fixtures.accept();
    fixtures.passWithPongs(1_000);
    former.onGoAway();
    fixtures.passWithPongs(200);
    fixtures.lane().onBroken(fixtures.nowNs, "refused");
    fixtures.data(connection, 10);
    assertThat(owner(connection)).isSameAs(former);
    assertThat(fixtures.takeEffects()).contains("data 0+10");
    for (int i = 0; i < 20; i++) {
      fixtures.passWithPongs(100);
      if (fixtures.lane() != former && !fixtures.lane().isBroken()) {
        fixtures.lane().onBroken(fixtures.nowNs, "refused");
      }
    }
    assertThat(fixtures.takeEffects()).doesNotContain("Release").doesNotContain("finish a:1");
    assertThat(owner(fixtures.accept())).isSameAs(former);
  }

  /** What a low moves-per-second leaves on the lane is no evidence against the upstream. */
  @Test
  void lane_thatEndsAsAnnounced_isNoOutlierSignal() {
    fixtures.accept();
    fixtures.passWithPongs(1_000);
    former.onGoAway();
    former.onBroken(fixtures.nowNs, "closed after GOAWAY");
    assertThat(fixtures.outlierSignals).isEmpty();
    assertThat(fixtures.counters.total(Counter.LANES_BROKEN)).isEqualTo(1);
  }

  /** An age limit of one server must not disturb the others. */
  @Test
  void lane_goingAway_handsOverToItsSuccessor_notToOtherUpstreams() {
    Fixtures two = with(STEADY);
    Lane a = two.acknowledgingLanes("a:1", "b:1").getFirst();
    Connection connection = two.accept();
    two.passWithPongs(1_000);
    a.onGoAway();
    two.passWithPongs(200);
    Lane next = two.lane();
    two.candidates = List.of();
    two.settings(next);
    two.passWithPongs(200);
    two.released(connection, 0);
    assertThat(owner(connection)).isSameAs(next);
    assertThat(two.candidates).as("asked the balancer").isEmpty();
  }

  @Test
  void lane_drainingAndGoingAway_isNotReplaced() {
    fixtures.accept();
    fixtures.passWithPongs(1_000);
    fixtures.draining(former);
    former.onGoAway();
    fixtures.passWithPongs(1_000);
    assertThat(fixtures.lanes).containsExactly(former);
  }

  /** It is about to stop: what it can no longer take goes elsewhere. */
  @Test
  void lane_goingAwayFromAnUpstreamThatTakesNoOther_handsOverToAnother() {
    Fixtures two = with(STEADY);
    Lane a = two.acknowledgingLanes("a:1", "b:1").getFirst();
    Connection connection = two.accept();
    two.passWithPongs(1_000);
    a.onGoAway();
    two.passWithPongs(200);
    two.lane().onBroken(two.nowNs, "refused");
    two.takeEffects();
    two.passWithPongs(200);
    assertThat(two.takeEffects()).contains("Release");
    two.released(connection, 0);
    assertThat(Fixtures.ownerAddress(connection)).isEqualTo("b:1");
  }

  /** Its connections have left it, and rebalancing must not return them, again and again. */
  @Test
  void lane_goingAwayFromAnUpstreamThatTakesNoOther_getsNothingWhileAnotherServes() {
    Moving slow = Moving.builder().isRebalancing(true).movesPerSecond(5).build();
    long waitNs = 5_000 * Fixtures.MS;
    Fixtures two =
        new Fixtures(new PoolOptions("pool", Acknowledge.AUTO, waitNs, 30, slow), 0, 1_000_000);
    Lane a = two.acknowledgingLanes("a:1", "b:1").getFirst();
    List<Connection> connections = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      connections.add(two.accept());
    }
    a.onGoAway();
    passWhileRefusing(two, connections, 10_000);
    assertThat(connections).extracting(Fixtures::ownerAddress).containsOnly("b:1");
    assertThat(Fixtures.ownerAddress(two.accept())).isEqualTo("b:1");

    two.acknowledgingLanes("a:1", "b:1", "c:1");
    passWhileRefusing(two, connections, 10_000);
    assertThat(connections).filteredOn(each -> isOn(each, "c:1")).hasSizeBetween(14, 16);
    two.takeEffects();
    passWhileRefusing(two, connections, 2_000);
    assertThat(two.takeEffects()).doesNotContain("Release");
  }

  @Test
  void lane_goingAwayFromAnUpstreamThatTakesNoOther_servesAgainWhenTheOthersBreak() {
    Fixtures two = with(STEADY);
    List<Lane> lanes = two.acknowledgingLanes("a:1", "b:1");
    two.passWithPongs(1_000);
    lanes.getFirst().onGoAway();
    two.passWithPongs(200);
    two.lane().onBroken(two.nowNs, "refused");
    assertThat(Fixtures.ownerAddress(two.accept())).isEqualTo("b:1");
    two.broken(lanes.getLast());
    assertThat(owner(two.accept())).isSameAs(lanes.getFirst());
  }

  /** An upstream drains, though only one of its lanes has said so yet. */
  @Test
  void lane_whoseSuccessorDrains_getsNothingWhileAnotherServes() {
    Fixtures two = with(STEADY);
    Lane a = two.acknowledgingLanes("a:1", "b:1").getFirst();
    two.draining(replaced(two, a));
    assertThat(Fixtures.ownerAddress(two.accept())).isEqualTo("b:1");
  }

  /** The former lane may lead to another process, which does not drain. */
  @Test
  void lane_whoseSuccessorDrains_isTheLastResort() {
    fixtures.accept();
    Lane next = replaced(fixtures, former);
    Connection connection = fixtures.accept();
    assertThat(owner(connection)).isSameAs(next);
    fixtures.draining(next);
    fixtures.released(connection, 0);
    assertThat(owner(connection)).isSameAs(former);
    fixtures.takeEffects();
    fixtures.passWithPongs(10_000);
    assertThat(fixtures.takeEffects()).doesNotContain("Release");
    assertThat(owner(connection)).isSameAs(former);
  }

  /** Returns the successor, which accepts connections. */
  private static Lane replaced(Fixtures fixtures, Lane former) {
    fixtures.passWithPongs(1_000);
    former.onGoAway();
    fixtures.passWithPongs(200);
    Lane next = fixtures.lane();
    assertThat(next).isNotSameAs(former);
    fixtures.settings(next);
    return next;
  }

  /** Lets time pass: upstream a:1 takes no other lane, and all hand over what they are asked to. */
  private static void passWhileRefusing(Fixtures two, List<Connection> connections, long ms) {
    for (long left = ms; left > 0; left -= 100) {
      two.passWithPongs(100);
      List.copyOf(two.lanes).stream()
          .filter(lane -> !lane.isOpen() && !lane.isBroken())
          .forEach(lane -> lane.onBroken(two.nowNs, "refused"));
      two.endTurn();
      connections.stream()
          .filter(ConnectionInspector::isHandingOver)
          .forEach(each -> two.released(each, 0));
    }
  }

  private static boolean isOn(Connection connection, String address) {
    return Fixtures.ownerAddress(connection).equals(address);
  }
}
