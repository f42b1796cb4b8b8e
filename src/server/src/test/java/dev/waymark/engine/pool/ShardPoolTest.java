package dev.waymark.engine.pool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.engine.base.PoolOptions;
import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.lane.Lane;
import dev.waymark.engine.lane.LaneInspector;
import dev.waymark.engine.shard.Fixtures;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.UpstreamControl;
import dev.waymark.protocol.UpstreamFrame;
import java.util.List;
import org.junit.jupiter.api.Test;

class ShardPoolTest {
  private final Fixtures fixtures = new Fixtures();

  @Test
  void connection_withoutUpstream_waitsAndIsAttached() {
    Connection connection = fixtures.accept();
    connection.onClientBytes(fixtures.nowNs, Fixtures.bytes(40), false);
    assertThat(fixtures.takeEffects()).containsExactly("pause");
    fixtures.upstreams("!a:1");
    fixtures.lane().onReady(fixtures.nowNs);
    assertThat(fixtures.takeEffects()).containsExactly("connect a:1", "Hello a:1");
    fixtures.upstreams("a:1");
    assertThat(fixtures.takeEffects()).containsExactly("Open", "data 0+40", "resume");
  }

  @Test
  void lane_refusedByItsUpstream_isNoBrokenLane() {
    fixtures.upstreams("a:1");
    fixtures.lane().onReady(fixtures.nowNs);
    fixtures.lane().onAccepted();
    fixtures.lane().onRefused(fixtures.nowNs, "no Attach method");
    assertThat(fixtures.outlierSignals).containsExactly("a:1 LANE_REFUSED");
  }

  @Test
  void lane_brokenBeforeItIsAccepted_isRefused() {
    fixtures.upstreams("a:1", "b:1");
    Lane accepted = fixtures.lanes.getFirst();
    fixtures.lanes.forEach(lane -> lane.onReady(fixtures.nowNs));
    accepted.onAccepted();
    fixtures.lanes.forEach(lane -> lane.onBroken(fixtures.nowNs, "gone"));
    assertThat(fixtures.outlierSignals).containsExactly("a:1 LANE_BROKEN", "b:1 LANE_REFUSED");
  }

  @Test
  void connection_withoutUpstreamOrWait_isClosedAtOnce() {
    Fixtures impatient =
        new Fixtures(
            new PoolOptions(
                "pool", PoolOptions.Acknowledge.AUTO, 0, 0, PoolOptions.Moving.DEFAULTS),
            0,
            10_000);
    impatient.accept().onClientEnd(impatient.nowNs);
    assertThat(impatient.takeEffects())
        .containsExactly("FIN", "close", "closed NO_UPSTREAM by BRIDGE");
  }

  @Test
  void lane_notWritable_getsConnectionsIfItIsTheOnlyOne() {
    fixtures.isWritable = false;
    fixtures.acknowledgingLane();
    fixtures.takeEffects();
    fixtures.accept();
    assertThat(fixtures.takeEffects()).containsExactly("Open");
  }

  @Test
  void lane_notWritable_isSkippedIfThereIsAnother() {
    fixtures.isWritable = false;
    Lane full = fixtures.acknowledgingLane();
    fixtures.isWritable = true;
    fixtures.upstreams("a:1", "b:1");
    fixtures.lanes.getLast().onReady(fixtures.nowNs);
    fixtures.endTurn();
    assertThat(fixtures.accept().owner()).isNotSameAs(full);
    assertThat(full.isWritable()).isFalse();
  }

  @Test
  void lane_writableAgain_isBackInItsPlaceAmongTheCandidates() {
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1", "c:1");
    fill(lanes.get(1));
    fill(lanes.getFirst());
    assertThat(nextCandidates()).containsExactly("c:1");
    lanes.getFirst().onReady(fixtures.nowNs);
    assertThat(nextCandidates()).containsExactly("a:1", "c:1");
    lanes.get(1).onReady(fixtures.nowNs);
    assertThat(nextCandidates()).containsExactly("a:1", "b:1", "c:1");
  }

  @Test
  void lane_drainingWhileNotWritable_getsNoNewConnectionsWhenWritable() {
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1");
    fill(lanes.getFirst());
    fixtures.draining(lanes.getFirst());
    lanes.getFirst().onReady(fixtures.nowNs);
    assertThat(nextCandidates()).containsExactly("b:1");
  }

  private void fill(Lane lane) {
    fixtures.isWritable = false;
    LaneInspector.ping(lane);
    fixtures.endTurn();
    fixtures.isWritable = true;
  }

  private List<String> nextCandidates() {
    fixtures.accept();
    return fixtures.candidates;
  }

  @Test
  void upstream_removed_isForgottenWithItsLastConnection() {
    fixtures.upstreams("a:1");
    fixtures.lane().onReady(fixtures.nowNs);
    Connection connection = fixtures.accept();
    fixtures.upstreams("b:1");
    assertThat(fixtures.forgotten).isEmpty();
    connection.onClientLost(fixtures.nowNs, CloseReason.CLIENT_RESET);
    fixtures.endTurn();
    assertThat(fixtures.forgotten).containsExactly("a:1");
  }

  @Test
  void lane_broken_isReopenedWithGrowingBackOff() {
    fixtures.upstreams("a:1");
    fixtures.takeEffects();
    long waitedMs = 0;
    for (int i = 0; i < 12; i++) {
      fixtures.lane().onBroken(fixtures.nowNs, "test");
      long fromNs = fixtures.nowNs;
      while (fixtures.takeEffects().isEmpty()) {
        fixtures.passMs(100);
      }
      waitedMs = (fixtures.nowNs - fromNs) / Fixtures.MS;
      assertThat(waitedMs).isLessThanOrEqualTo(1200);
    }
    assertThat(waitedMs).isGreaterThanOrEqualTo(500);
  }

  @Test
  void lane_breakingRightAfterSettings_isReopenedWithGrowingBackOff() {
    fixtures.upstreams("a:1");
    long waitedMs = 0;
    for (int i = 0; i < 12; i++) {
      waitedMs = waitAfterABreakMs();
      fixtures.lane().onReady(fixtures.nowNs);
      fixtures.receive(
          new UpstreamFrame().clear().control(new UpstreamControl.Settings(1, 0, false, false)));
    }
    assertThat(waitedMs).isGreaterThanOrEqualTo(500);
    fixtures.passMs(1_000);
    assertThat(waitAfterABreakMs()).isLessThanOrEqualTo(200);
  }

  private long waitAfterABreakMs() {
    fixtures.lane().onBroken(fixtures.nowNs, "test");
    fixtures.takeEffects();
    long fromNs = fixtures.nowNs;
    while (fixtures.takeEffects().isEmpty()) {
      fixtures.passMs(100);
    }
    return (fixtures.nowNs - fromNs) / Fixtures.MS;
  }

  @Test
  void upstream_removed_keepsItsLaneUntilTheLastConnectionEnds() {
    fixtures.acknowledgingLane();
    Connection connection = fixtures.accept();
    fixtures.takeEffects();
    fixtures.upstreams("b:1");
    assertThat(fixtures.takeEffects()).containsExactly("connect b:1");
    connection.onClientLost(fixtures.nowNs, CloseReason.CLIENT_RESET);
    assertThat(fixtures.takeEffects()).contains("Close CLIENT_RESET", "finish a:1");
  }

  @Test
  void lane_draining_getsNoNewConnections() {
    fixtures.acknowledgingLane();
    fixtures.receive(new UpstreamFrame().clear().control(new UpstreamControl.Draining()));
    fixtures.takeEffects();
    fixtures.accept();
    assertThat(fixtures.takeEffects()).isEmpty();
  }
}
