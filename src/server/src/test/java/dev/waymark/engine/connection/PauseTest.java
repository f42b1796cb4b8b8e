package dev.waymark.engine.connection;

import static dev.waymark.engine.shard.Fixtures.ownerAddress;
import static dev.waymark.engine.shard.MovingFixtures.STEADY;
import static dev.waymark.engine.shard.MovingFixtures.with;
import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.engine.lane.Lane;
import dev.waymark.engine.shard.Fixtures;
import dev.waymark.protocol.UpstreamControl;
import dev.waymark.protocol.UpstreamFrame;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The measured pause of a client whose connection moves: detection time and move time. */
class PauseTest {
  private final Fixtures fixtures = with(STEADY);

  private long detectionMs() {
    return fixtures.counters.pauseDetections().sumNs() / Fixtures.MS;
  }

  private long moveMs() {
    return fixtures.counters.pauseMoves().sumNs() / Fixtures.MS;
  }

  private void assertPause(long detectionMs, long moveMs) {
    assertThat(fixtures.counters.pauses().count()).isEqualTo(1);
    // Deadlines fire in ticks.
    assertThat(detectionMs()).isBetween(detectionMs, detectionMs + 150);
    assertThat(moveMs()).isBetween(moveMs, moveMs + 50);
    assertThat(fixtures.counters.pauses().sumNs() / Fixtures.MS)
        .isBetween(detectionMs() + moveMs(), detectionMs() + moveMs() + 1);
  }

  private void commit(Connection connection, int consumed) {
    fixtures.answer(connection, fixtures.frame(connection).consumed(consumed));
  }

  @Test
  void handler_hanging_pausesFromTheFirstUnansweredBytes() {
    fixtures.acknowledgingLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    fixtures.passWithPongs(3_000);
    fixtures.data(connection, 10);
    fixtures.passWithPongs(1_000);
    fixtures.data(connection, 10);
    fixtures.passWithPongs(29_200);
    assertThat(ownerAddress(connection)).isEqualTo("b:1");
    long progressTimeoutMs = 30_000;
    fixtures.passMs(70);
    // An empty frame says "still working": it ends no pause.
    fixtures.answer(connection, fixtures.frame(connection));
    assertThat(fixtures.counters.pauses().count()).isZero();
    fixtures.passMs(30);
    long before = fixtures.nowNs;
    commit(connection, 20);
    assertThat(fixtures.nowNs).isEqualTo(before);
    assertThat(fixtures.counters.pauses().count()).isEqualTo(1);
    assertThat(detectionMs()).isBetween(progressTimeoutMs, progressTimeoutMs + 150);
    assertThat(moveMs()).isBetween(100L, 300L);
    commit(connection, 20);
    assertThat(fixtures.counters.pauses().count()).isEqualTo(1);
  }

  @Test
  void upstream_frozen_pausesIdleClientsFromTheLastFrameOfTheLane() {
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1");
    fixtures.accept();
    fixtures.passWithPongs(1_000);
    for (int i = 0; i < 85; i++) {
      fixtures.passMs(100);
      lanes.get(1).onFrame(fixtures.nowNs, pong());
    }
    // A Ping after 2 s, and the end of the lane 6 s later. An idle client is served by the Open.
    assertPause(8_000, 0);
  }

  private static UpstreamFrame pong() {
    return new UpstreamFrame().clear().control(new UpstreamControl.Pong(1));
  }

  @Test
  void lane_lost_pausesFromThePendingRequest() {
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    fixtures.passMs(500);
    fixtures.data(connection, 10);
    fixtures.passMs(200);
    fixtures.broken(lanes.getFirst());
    fixtures.passMs(30);
    commit(connection, 10);
    assertPause(200, 30);
  }

  @Test
  void standstill_whileARequestWaits_countsForThePause() {
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    fixtures.passMs(500);
    fixtures.data(connection, 10);
    fixtures.passMs(100);
    fixtures.shard.onStandstill(4_000 * Fixtures.MS);
    fixtures.passMs(100);
    fixtures.broken(lanes.getFirst());
    fixtures.shard.onStandstill(700 * Fixtures.MS);
    fixtures.passMs(30);
    commit(connection, 10);
    assertPause(4_200, 730);
  }

  @Test
  void standstill_whileNothingWaits_countsAsSilenceOfTheLane() {
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1");
    fixtures.accept();
    fixtures.passMs(100);
    fixtures.shard.onStandstill(3_000 * Fixtures.MS);
    fixtures.passMs(100);
    fixtures.broken(lanes.getFirst());
    assertPause(3_200, 0);
  }

  @Test
  void reply_inSeveralCommits_pausesFromTheLast() {
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    fixtures.data(connection, 10);
    fixtures.passMs(900);
    fixtures.answer(connection, fixtures.frame(connection).payload(Fixtures.bytes(5)));
    fixtures.passMs(100);
    fixtures.broken(lanes.getFirst());
    commit(connection, 10);
    assertPause(100, 0);
  }

  @Test
  void client_withQueuedReplies_isNotPaused() {
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    fixtures.data(connection, 10);
    fixtures.isKernelFull = true;
    fixtures.answer(connection, fixtures.frame(connection).payload(Fixtures.bytes(5)));
    fixtures.passMs(700);
    fixtures.broken(lanes.getFirst());
    commit(connection, 10);
    assertPause(0, 0);
  }

  @Test
  void handOver_withNothingPending_isNoPause() {
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    fixtures.passMs(1_500);
    fixtures.draining(lanes.getFirst());
    fixtures.passMs(300);
    fixtures.released(connection, 0);
    assertThat(ownerAddress(connection)).isEqualTo("b:1");
    assertPause(0, 0);
  }

  @Test
  void handOver_withBytesWaiting_pausesFromTheirArrival() {
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    fixtures.draining(lanes.getFirst());
    fixtures.data(connection, 5);
    fixtures.passMs(200);
    fixtures.data(connection, 5);
    fixtures.passMs(100);
    fixtures.released(connection, 0);
    fixtures.passMs(40);
    commit(connection, 10);
    assertPause(300, 40);
  }

  @Test
  void owner_lostBeforeServing_prolongsThePause() {
    List<Lane> lanes = fixtures.acknowledgingLanes("a:1", "b:1", "c:1");
    Connection connection = fixtures.accept();
    fixtures.data(connection, 10);
    fixtures.passMs(100);
    fixtures.broken(lanes.getFirst());
    fixtures.passMs(400);
    fixtures.broken(lanes.get(1));
    assertThat(ownerAddress(connection)).isEqualTo("c:1");
    commit(connection, 10);
    assertPause(100, 400);
  }
}
