package dev.waymark.engine.connection;

import static dev.waymark.engine.shard.Fixtures.ownerAddress;
import static dev.waymark.engine.shard.MovingFixtures.STEADY;
import static dev.waymark.engine.shard.MovingFixtures.with;
import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.engine.shard.Fixtures;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Mark;
import dev.waymark.protocol.UpstreamControl;
import dev.waymark.protocol.UpstreamFrame;
import org.junit.jupiter.api.Test;

/** The clocks of an owner (rule 7). */
class OwnerClocksTest {
  private Fixtures fixtures = with(STEADY);

  @Test
  void owner_withoutSignOfWork_isFencedAndTheNextGetsTheBytes() {
    fixtures.acknowledgingLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    Connection idle = fixtures.accept();
    fixtures.data(connection, 10);
    fixtures.takeEffects();
    fixtures.passWithPongs(29_000);
    assertThat(ownerAddress(connection)).isEqualTo("a:1");
    fixtures.takeEffects();
    fixtures.passWithPongs(1_200);
    assertThat(ownerAddress(connection)).isEqualTo("b:1");
    assertThat(ownerAddress(idle)).isEqualTo("a:1");
    assertThat(fixtures.takeEffects())
        .filteredOn(effect -> !effect.equals("Ping"))
        .containsExactly("Close FENCED", "Open", "data 0+10");
  }

  @Test
  void detach_fromAHangingHandler_isReportedWithTheTimeOfSilence() {
    fixtures.acknowledgingLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    fixtures.data(connection, 10);
    fixtures.passWithPongs(20_000);
    fixtures.answer(connection, fixtures.frame(connection));
    fixtures.passWithPongs(30_200);
    assertThat(fixtures.forcedDetaches).hasSize(1);
    ForcedDetach detach = fixtures.forcedDetaches.getFirst();
    assertThat(detach.mark()).isEqualTo(connection.mark());
    assertThat(detach.pool()).isEqualTo("pool");
    assertThat(detach.upstream()).isEqualTo("a:1");
    assertThat(detach.why()).isEqualTo(ForcedDetach.Why.STALLED);
    assertThat(detach.silentNs() / Fixtures.MS).isBetween(30_000L, 30_100L);
    assertThat(detach.stuckNs() / Fixtures.MS).isBetween(50_000L, 50_100L);
    assertThat(detach.unconsumedBytes()).isEqualTo(10);
  }

  @Test
  void detach_ofAnOverdueHandOver_isReported() {
    fixtures.acknowledgingLanes("a:1", "b:1");
    fixtures.accept();
    fixtures.draining(fixtures.lanes.getFirst());
    fixtures.passWithPongs(10_200);
    assertThat(fixtures.forcedDetaches)
        .extracting(ForcedDetach::why)
        .containsExactly(ForcedDetach.Why.RELEASE_OVERDUE);
  }

  @Test
  void owner_sendingStillWorking_keepsTheConnection() {
    fixtures.acknowledgingLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    fixtures.data(connection, 10);
    for (int i = 0; i < 5; i++) {
      fixtures.passWithPongs(20_000);
      fixtures.answer(connection, fixtures.frame(connection));
    }
    assertThat(ownerAddress(connection)).isEqualTo("a:1");
  }

  @Test
  void window_fullWithoutConsumed_closesTheConnectionDespiteFrames() {
    fixtures.acknowledgingLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    fixtures.data(connection, Fixtures.WINDOW + 1);
    for (int i = 0; i < 4 && connection.owner() != null; i++) {
      fixtures.passWithPongs(10_000);
      if (connection.owner() != null) {
        fixtures.answer(connection, fixtures.frame(connection));
      }
    }
    connection.onClientEnd(fixtures.nowNs);
    assertThat(fixtures.summaries)
        .extracting(ConnectionSummary::reason)
        .containsExactly(CloseReason.WINDOW_STALLED);
    assertThat(fixtures.forcedDetaches)
        .extracting(ForcedDetach::why)
        .containsExactly(ForcedDetach.Why.WINDOW_STALLED);
    assertThat(fixtures.forcedDetaches.getFirst().stuckNs() / Fixtures.MS)
        .isGreaterThanOrEqualTo(30_000);
  }

  /** An owner without credit cannot commit: its time starts when the client reads again. */
  @Test
  void window_fullWhileTheClientDoesNotRead_doesNotCountAgainstTheOwner() {
    fixtures.acknowledgingLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    fixtures.data(connection, Fixtures.WINDOW + 1);
    fixtures.isKernelFull = true;
    fixtures.answer(connection, fixtures.frame(connection).payload(Fixtures.bytes(10)));
    fixtures.passWithPongs(45_000);
    fixtures.isKernelFull = false;
    fixtures.socket(connection).drain();
    fixtures.passWithPongs(29_000);
    assertThat(ownerAddress(connection)).isEqualTo("a:1");
  }

  @Test
  void push_takenByTheClient_isNoSignOfWork() {
    fixtures.acknowledgingLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    fixtures.data(connection, 10);
    fixtures.passWithPongs(20_000);
    Mark mark = connection.mark();
    fixtures.control(
        fixtures.lane(), new UpstreamControl.Push(1, mark, new byte[4], UpstreamFrame.ABSENT));
    fixtures.passWithPongs(10_200);
    assertThat(ownerAddress(connection)).isEqualTo("b:1");
  }

  @Test
  void lane_withMostConnectionsStalled_isAnOutlier() {
    fixtures.acknowledgingLanes("a:1", "b:1");
    for (int i = 0; i < 4; i++) {
      fixtures.data(fixtures.accept(), 10);
    }
    fixtures.passWithPongs(30_200);
    assertThat(fixtures.outlierSignals).contains("a:1 STALLED");
  }

  @Test
  void lane_withOneConnectionStalled_isNoOutlier() {
    fixtures.acknowledgingLanes("a:1", "b:1");
    Connection hung = fixtures.accept();
    fixtures.data(hung, 10);
    fixtures.passWithPongs(30_200);
    assertThat(ownerAddress(hung)).isEqualTo("b:1");
    assertThat(fixtures.outlierSignals).isEmpty();
  }

  @Test
  void owner_sendingSettingsLate_isTimedFromThenOn() {
    fixtures = with(0, STEADY);
    fixtures.atMostOnceLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    fixtures.data(connection, 10);
    fixtures.passMs(1_000);
    fixtures.lanes.forEach(fixtures::settings);
    fixtures.passWithPongs(29_000);
    assertThat(ownerAddress(connection)).isEqualTo("a:1");
    fixtures.passWithPongs(1_200);
    assertThat(ownerAddress(connection)).isEqualTo("b:1");
  }
}
