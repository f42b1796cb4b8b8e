package dev.waymark.engine.pool;

import static dev.waymark.engine.shard.Fixtures.ownerAddress;
import static dev.waymark.engine.shard.MovingFixtures.STEADY;
import static dev.waymark.engine.shard.MovingFixtures.with;
import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.engine.base.Counter;
import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.connection.ConnectionInspector;
import dev.waymark.engine.lane.Lane;
import dev.waymark.engine.shard.Fixtures;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.ResumeState;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Probation of suspects (rule 3): on which upstream, and what counts as evidence. */
class ProbationTest {
  private final Fixtures fixtures = with(STEADY);

  @Test
  void suspect_losingALaneAlone_isClosed() {
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1", "c:1");
    Connection suspect = suspect(lanes);
    fixtures.passMs(300);
    fixtures.broken(lanes.get(2));
    assertThat(reason(suspect)).isEqualTo(CloseReason.POISON);
  }

  /** When a process dies, its health Watch and its lane may break in either order. */
  @Test
  void suspect_whoseUpstreamIsReportedDownBeforeItsLaneBreaks_isClosedToo() {
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1", "c:1", "d:1");
    Connection suspect = suspect(lanes);
    assertThat(ownerAddress(suspect)).isEqualTo("c:1");
    fixtures.upstreams("a:1", "b:1", "!c:1", "d:1");
    fixtures.passMs(300);
    fixtures.broken(lanes.get(2));
    assertThat(reason(suspect)).isEqualTo(CloseReason.POISON);
  }

  /** Something else kills upstreams too, and may have killed this one: one loss is no proof. */
  @Test
  void suspect_losingALaneAloneWhileOthersBreak_isTriedAgain() {
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1", "c:1", "d:1");
    Connection suspect = suspect(lanes);
    fixtures.passMs(300);
    fixtures.broken(lanes.get(3));
    fixtures.broken(lanes.get(2));
    assertThat(suspect.isLive()).isTrue();
    fixtures.passMs(1_000);
    open();
    fixtures.passMs(300);
    fixtures.broken(Fixtures.owner(suspect));
    assertThat(reason(suspect)).isEqualTo(CloseReason.POISON);
  }

  /** An operator who kills upstreams sooner or later hits one during a round. */
  @Test
  void suspect_losingTwoLanesAlone_isClosedThoughAnotherBroke() {
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1", "c:1", "d:1");
    Connection suspect = suspect(lanes);
    fixtures.broken(lanes.get(3));
    fixtures.broken(lanes.get(2));
    assertThat(suspect.isLive()).isTrue();
    fixtures.passMs(1_000);
    open();
    fixtures.broken(Fixtures.owner(suspect));
    assertThat(reason(suspect)).isEqualTo(CloseReason.POISON);
  }

  @Test
  void suspect_whileUnusedUpstreamsDie_isTriedOnceMoreForEachAfterTheFirst() {
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1", "c:1", "d:1", "e:1", "f:1");
    Connection suspect = suspect(lanes);
    assertThat(ownerAddress(suspect)).isEqualTo("c:1");
    lanes.subList(3, 6).forEach(fixtures::broken);
    for (int lost = 0; lost < 4; lost++) {
      assertThat(suspect.isLive()).as("after %d lone losses", lost).isTrue();
      open();
      fixtures.broken(Fixtures.owner(suspect));
      fixtures.passMs(300);
    }
    assertThat(reason(suspect)).isEqualTo(CloseReason.POISON);
  }

  @Test
  void suspect_answeredAfterALoneLoss_castsDoubtOnSuchLosses() {
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1", "c:1", "d:1");
    Connection suspect = suspect(lanes);
    fixtures.broken(lanes.get(3));
    assertThat(fixtures.quarantine.doubts())
        .as("doubts after an unused upstream died")
        .isEqualTo(1);
    fixtures.broken(lanes.get(2));
    fixtures.passMs(300);
    open();
    fixtures.answer(suspect, fixtures.frame(suspect).consumed(10));
    assertThat(fixtures.quarantine.doubts()).isEqualTo(2);
  }

  @Test
  void suspect_afterALoneLoss_isTriedBeforeOneThatHasWaitedLonger() {
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1", "c:1", "d:1");
    fixtures.broken(lanes.get(3));
    List<Connection> suspects = List.of(fixtures.accept(), fixtures.accept());
    suspects.forEach(one -> fixtures.data(one, 10));
    fixtures.broken(lanes.get(0));
    fixtures.broken(lanes.get(1));
    Connection first = suspects.stream().filter(one -> one.owner() != null).findAny().orElseThrow();
    Connection second = suspects.get(1 - suspects.indexOf(first));
    assertThat(ownerAddress(second)).isEqualTo("nobody");
    fixtures.broken(lanes.get(2));
    assertThat(first.isLive())
        .as("live: an unused upstream died, so one loss is no proof")
        .isTrue();
    fixtures.passMs(300);
    Lane next = fixtures.lanes.stream().filter(lane -> !lane.isBroken()).findFirst().orElseThrow();
    fixtures.settings(next);
    assertThat(first.owner()).isSameAs(next);
    assertThat(ownerAddress(second)).isEqualTo("nobody");
  }

  @Test
  void suspects_withOneUpstream_areTriedOneAtATime() {
    fixtures.acknowledgingLanes("a:1");
    List<Connection> all = Stream.generate(fixtures::accept).limit(4).toList();
    all.forEach(one -> fixtures.data(one, 10));
    for (int i = 0; i < 2; i++) {
      fixtures.broken(fixtures.lane());
      fixtures.passMs(1_000);
      open();
    }
    for (int i = 0; i < all.size(); i++) {
      Connection tried = all.stream().filter(Connection::isAwaitingOwner).findFirst().orElseThrow();
      assertThat(all).filteredOn(Connection::isAwaitingOwner).hasSize(1);
      fixtures.answer(tried, fixtures.frame(tried).consumed(10));
    }
    assertThat(all).extracting(Fixtures::ownerAddress).containsOnly("a:1");
    assertThat(all).noneMatch(Connection::isAwaitingOwner);
    assertThat(fixtures.summaries).isEmpty();
  }

  @Test
  void upstream_setApart_getsNoOtherConnectionsAndHandsItsOwnOver() {
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1", "c:1", "d:1");
    List<Connection> suspects = List.of(fixtures.accept(), fixtures.accept());
    suspects.forEach(one -> fixtures.data(one, 10));
    fixtures.broken(lanes.get(0));
    Connection innocent = fixtures.accept();
    assertThat(ownerAddress(innocent)).isEqualTo("b:1");
    fixtures.data(innocent, 10);
    fixtures.answer(innocent, fixtures.frame(innocent).consumed(10));
    fixtures.broken(lanes.get(1));
    // c:1 has the innocent connection, d:1 is empty.
    assertThat(ownerAddress(innocent)).isEqualTo("c:1");
    assertThat(suspects)
        .extracting(Fixtures::ownerAddress)
        .containsExactlyInAnyOrder("d:1", "nobody");
    assertThat(fixtures.accept()).extracting(Fixtures::ownerAddress).isEqualTo("c:1");
    Connection first = suspects.stream().filter(one -> one.owner() != null).findAny().orElseThrow();
    Connection second = suspects.get(1 - suspects.indexOf(first));
    fixtures.answer(first, fixtures.frame(first).consumed(10));
    assertThat(ConnectionInspector.isHandingOver(first)).isTrue();
    assertThat(ownerAddress(second)).isEqualTo("nobody");
    fixtures.released(first, 10);
    assertThat(ownerAddress(first)).isEqualTo("c:1");
    assertThat(ownerAddress(second)).isEqualTo("d:1");
  }

  @Test
  void upstream_setApartByOneShard_isVacatedByTheOthers() {
    Fixtures other = Fixtures.sharingQuarantineWith(fixtures);
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1", "c:1", "d:1");
    List<Lane> others = other.acknowledgingLanes("c:1", "d:1");
    List<Connection> bystanders = List.of(other.accept(), other.accept());
    Lane d = others.getLast();
    bystanders.getLast().release(other.nowNs, ResumeState.Cause.REBALANCE, d);
    other.released(bystanders.getLast(), 0);
    assertThat(bystanders).extracting(Fixtures::ownerAddress).containsExactly("c:1", "d:1");
    Connection suspect = suspect(lanes);
    assertThat(ownerAddress(suspect)).isEqualTo("nobody");
    pass(other, 200);
    Connection asked =
        bystanders.stream().filter(ConnectionInspector::isHandingOver).findAny().orElseThrow();
    String apart = ownerAddress(asked);
    other.released(asked, 0);
    assertThat(ownerAddress(asked)).isNotEqualTo(apart);
    pass(other, 200);
    assertThat(ownerAddress(suspect)).isEqualTo(apart);
    assertThat(ownerAddress(other.accept())).isNotEqualTo(apart);
  }

  /** The other shard has seen the upstream die; this shard's lane breaks a moment later. */
  @Test
  void upstream_dyingWhileItIsVacated_isNoEvidenceAgainstTheWaitingSuspect() {
    Fixtures other = Fixtures.sharingQuarantineWith(fixtures);
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1", "c:1", "d:1");
    List<Lane> others = other.acknowledgingLanes("c:1", "d:1");
    Connection bystander = other.accept();
    Connection second = other.accept();
    second.release(other.nowNs, ResumeState.Cause.REBALANCE, others.getLast());
    other.released(second, 0);
    Connection suspect = suspect(lanes);
    assertThat(ownerAddress(bystander)).isEqualTo("c:1");
    assertThat(ownerAddress(suspect)).isEqualTo("nobody");
    other.broken(others.getFirst());
    fixtures.passMs(100);
    fixtures.broken(lanes.get(2));
    assertThat(suspect.isLive()).isTrue();
    assertThat(fixtures.summaries).isEmpty();
  }

  @Test
  void suspects_ofSeveralShards_takeTurnsAtOneUpstream() {
    Fixtures other = Fixtures.sharingQuarantineWith(fixtures);
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1", "c:1");
    List<Lane> others = other.acknowledgingLanes("a:1", "b:1", "c:1");
    List<Connection> suspects = new ArrayList<>();
    for (Fixtures shard : List.of(fixtures, other)) {
      Connection suspect = shard.accept();
      shard.data(suspect, 10);
      suspects.add(suspect);
    }
    for (int i = 0; i < 2; i++) {
      fixtures.broken(lanes.get(i));
      other.broken(others.get(i));
    }
    assertThat(suspects).extracting(Fixtures::ownerAddress).containsExactly("c:1", "nobody");
    fixtures.answer(suspects.getFirst(), fixtures.frame(suspects.getFirst()).consumed(10));
    pass(other, 6_000);
    assertThat(suspects).extracting(Fixtures::ownerAddress).containsExactly("c:1", "c:1");
  }

  @Test
  void suspects_overTheLimit_arePlacedWithoutProbation() {
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1", "c:1");
    List<Connection> suspects =
        Stream.generate(fixtures::accept).limit(Probation.WAITING_MAX + 3).toList();
    suspects.forEach(one -> fixtures.data(one, 1));
    breakAndPlaceAll(lanes.get(0));
    breakAndPlaceAll(lanes.get(1));
    assertThat(suspects).extracting(Fixtures::ownerAddress).filteredOn("c:1"::equals).hasSize(3);
    assertThat(fixtures.counters.total(Counter.SUSPECTS_UNTRIED)).isEqualTo(2);
    assertThat(fixtures.counters.total(Counter.SUSPECTS_TRIED)).isEqualTo(1);
  }

  private void breakAndPlaceAll(Lane lane) {
    fixtures.broken(lane);
    for (int i = 0; i < 2 + Probation.WAITING_MAX / Placement.PLACED_PER_TURN; i++) {
      fixtures.endTurn();
    }
  }

  /** Lets the time of both shards pass. */
  private void pass(Fixtures other, long ms) {
    for (long passed = 0; passed < ms; passed += 100) {
      fixtures.passMs(100);
      other.passMs(100);
    }
  }

  /** Returns a connection whose bytes were on the first two of these lanes when they broke. */
  private Connection suspect(List<Lane> lanes) {
    Connection suspect = fixtures.accept();
    fixtures.data(suspect, 10);
    fixtures.passMs(200);
    fixtures.broken(lanes.get(0));
    fixtures.passMs(200);
    fixtures.broken(lanes.get(1));
    return suspect;
  }

  /** Establishes all lanes that are being opened. */
  private void open() {
    List.copyOf(fixtures.lanes).stream()
        .filter(lane -> !lane.isOpen() && !lane.isBroken())
        .forEach(fixtures::settings);
  }

  private CloseReason reason(Connection connection) {
    connection.onClientEnd(fixtures.nowNs);
    return fixtures.summaries.getLast().reason();
  }
}
