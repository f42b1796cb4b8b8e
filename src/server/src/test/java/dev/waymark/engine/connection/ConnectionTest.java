package dev.waymark.engine.connection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.waymark.engine.base.Counter;
import dev.waymark.engine.base.PoolOptions;
import dev.waymark.engine.lane.Lane;
import dev.waymark.engine.shard.Fixtures;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.UpstreamControl;
import dev.waymark.protocol.UpstreamFrame;
import org.junit.jupiter.api.Test;

class ConnectionTest {
  private static final PoolOptions POOL = Fixtures.pool("pool");

  @Test
  void connection_withAnIdleTimeoutBelowTheUpstreamWait_closesInTime() {
    Fixtures fixtures = new Fixtures(POOL, 1000 * Fixtures.MS, 10_000);
    fixtures.acknowledgingLane();
    Connection connection = fixtures.accept();
    fixtures.passMs(900);
    assertThat(fixtures.effects).doesNotContain("FIN");
    fixtures.passMs(300);
    connection.onClientEnd(fixtures.nowNs);
    fixtures.endTurn();
    assertThat(fixtures.effects)
        .endsWith("Close IDLE_TIMEOUT", "FIN", "close", "closed IDLE_TIMEOUT by BRIDGE");
  }

  @Test
  void connection_withAFullWindow_pausesUntilConsumed() {
    Fixtures fixtures = new Fixtures();
    fixtures.acknowledgingLane();
    Connection connection = fixtures.accept();
    fixtures.takeEffects();
    connection.onClientBytes(fixtures.nowNs, Fixtures.bytes(Fixtures.WINDOW + 5), false);
    assertThat(fixtures.takeEffects()).containsExactly("data 0+100", "pause");
    fixtures.receive(fixtures.frame(connection).consumed(60));
    assertThat(fixtures.takeEffects()).containsExactly("data 100+5", "resume");
  }

  /** Making room for the frame flushes the last reply, and so ends the connection. */
  @Test
  void frame_whileWhoseDeliveryTheConnectionEnds_isFenced() {
    Fixtures fixtures = new Fixtures();
    fixtures.atMostOnceLanes("a:1");
    Connection connection = fixtures.accept();
    UpstreamFrame frame = fixtures.frame(connection);
    fixtures.lane().onFrame(fixtures.nowNs, frame.payload(Fixtures.bytes(45)));
    connection.onClientViolation(fixtures.nowNs, CloseReason.FRAME_TOO_LONG);
    fixtures.lane().onFrame(fixtures.nowNs, frame);
    fixtures.endTurn();
    assertThat(fixtures.effects).contains("Close FRAME_TOO_LONG", "written 45");
    assertThat(fixtures.counters.total(Counter.FRAMES_FENCED)).isEqualTo(1);
  }

  @Test
  void messages_beyondTheBudgetInOneTurn_pauseReadingWithinTheTurn() {
    Fixtures fixtures = new Fixtures();
    fixtures.acknowledgingLane();
    Connection connection = fixtures.accept();
    connection.onClientBytes(fixtures.nowNs, Fixtures.bytes(1), true);
    assertThat(fixtures.effects).doesNotContain("pause");
    Connection other = fixtures.accept();
    fixtures.takeEffects();
    other.onClientPartial(fixtures.nowNs, Fixtures.UNREPORTED_BYTES_MAX);
    other.onClientBytes(fixtures.nowNs, Fixtures.bytes(1), true);
    assertThat(fixtures.takeEffects()).contains("pause");
  }

  @Test
  void commit_ofExactlyTheReplyWindow_isFollowedByCredit() {
    Fixtures fixtures = new Fixtures();
    fixtures.acknowledgingLane();
    Connection connection = fixtures.accept();
    for (int i = 1; i <= 3; i++) {
      fixtures.receive(fixtures.frame(connection).payload(Fixtures.bytes(20)).more(true));
      fixtures.takeEffects();
      fixtures.receive(fixtures.frame(connection).payload(Fixtures.bytes(30)));
      assertThat(fixtures.takeEffects()).containsExactly("written 50", "limit " + (50 + i * 50));
    }
  }

  @Test
  void credit_belowHalfTheReplyWindow_isSentAfterADelay() {
    Fixtures fixtures = new Fixtures();
    fixtures.acknowledgingLane();
    Connection connection = fixtures.accept();
    fixtures.receive(fixtures.frame(connection).payload(Fixtures.bytes(3)));
    assertThat(fixtures.takeEffects()).endsWith("Open", "written 3", "timer in 20 ms");
    fixtures.passMs(25);
    assertThat(fixtures.takeEffects()).containsExactly("limit 53");
  }

  @Test
  void end_withBytesHeld_leavesNoMemoryCounted() {
    Fixtures fixtures = new Fixtures();
    fixtures.acknowledgingLane();
    Connection connection = fixtures.accept();
    fixtures.isWritable = false;
    connection.onClientBytes(fixtures.nowNs, Fixtures.bytes(Fixtures.WINDOW + 5), false);
    connection.endByBridge(fixtures.nowNs, CloseReason.OPERATOR, CloseReason.Origin.BRIDGE);
    fixtures.endTurn();
    assertThat(fixtures.budget.usedBytes()).isZero();
  }

  @Test
  void connection_closedByAnOperator_endsWithFinOrRst() {
    Fixtures fixtures = new Fixtures();
    fixtures.acknowledgingLane();
    Connection connection = fixtures.accept();
    fixtures.takeEffects();
    connection.onOperatorClose(fixtures.nowNs, false);
    fixtures.endTurn();
    assertThat(fixtures.takeEffects()).containsExactly("Close OPERATOR", "FIN");
    connection.onOperatorClose(fixtures.nowNs, true);
    fixtures.endTurn();
    assertThat(fixtures.takeEffects())
        .as("RST also ends one whose client does not answer the FIN")
        .containsExactly("RST", "closed OPERATOR by BRIDGE");

    Connection other = fixtures.accept();
    fixtures.takeEffects();
    other.onOperatorClose(fixtures.nowNs, true);
    fixtures.endTurn();
    assertThat(fixtures.takeEffects())
        .containsExactly("Close OPERATOR", "RST", "closed OPERATOR by BRIDGE");
  }

  @Test
  void client_takingALargeFlushSlowly_isNotIdle() {
    Fixtures fixtures = new Fixtures(POOL, 1000 * Fixtures.MS, 10_000);
    fixtures.acknowledgingLane();
    Connection connection = fixtures.accept();
    fixtures.isKernelFull = true;
    fixtures.receive(fixtures.frame(connection).payload(Fixtures.bytes(40)));
    for (int taken = 1; taken <= 3; taken++) {
      fixtures.passMs(900);
      fixtures.socket(connection).partlyTakenBytes = taken;
    }
    assertThat(fixtures.effects).doesNotContain("Close IDLE_TIMEOUT");
    fixtures.passMs(2200);
    assertThat(fixtures.effects).contains("Close IDLE_TIMEOUT");
  }

  @Test
  void socket_lingering_isResetIfTheClientTakesNothing() {
    Fixtures fixtures = new Fixtures();
    fixtures.acknowledgingLane();
    Connection connection = fixtures.accept();
    fixtures.isKernelFull = true;
    fixtures.receive(
        fixtures.frame(connection).payload(Fixtures.bytes(40)).close(CloseReason.DONE.wireCode()));
    fixtures.passMs(9_000);
    fixtures.socket(connection).partlyTakenBytes = 1;
    fixtures.passMs(9_000);
    assertThat(fixtures.effects).doesNotContain("RST");
    fixtures.passMs(2_000);
    assertThat(fixtures.effects).contains("RST");
  }

  @Test
  void violation_afterWholeMessages_endsWhenTheyAreAnswered() {
    Fixtures fixtures = new Fixtures();
    fixtures.acknowledgingLane();
    Connection connection = fixtures.accept();
    connection.onClientBytes(fixtures.nowNs, Fixtures.bytes(Fixtures.WINDOW), true);
    connection.onClientBytes(fixtures.nowNs, Fixtures.bytes(5), true);
    connection.onClientViolation(fixtures.nowNs, CloseReason.FRAME_INCOMPLETE);
    connection.onClientEnd(fixtures.nowNs);
    fixtures.endTurn();
    fixtures.takeEffects();
    fixtures.receive(fixtures.frame(connection).payload(Fixtures.bytes(9)).consumed(100));
    assertThat(fixtures.takeEffects()).startsWith("data 100+5", "resume", "written 9");
    fixtures.receive(fixtures.frame(connection).consumed(105));
    assertThat(fixtures.takeEffects())
        .endsWith("Close FRAME_INCOMPLETE", "FIN", "close", "closed FRAME_INCOMPLETE by CLIENT");
  }

  @Test
  void violation_beforeTheFirstOwner_leavesTheOwnerTimeToAnswer() {
    PoolOptions patient =
        new PoolOptions(
            "pool",
            PoolOptions.Acknowledge.AUTO,
            60_000 * Fixtures.MS,
            30,
            PoolOptions.Moving.DEFAULTS);
    Fixtures fixtures = new Fixtures(patient, 0, 10_000);
    Connection connection = fixtures.accept();
    connection.onClientBytes(fixtures.nowNs, Fixtures.bytes(5), true);
    connection.onClientViolation(fixtures.nowNs, CloseReason.FRAME_TOO_LONG);
    fixtures.passMs(20_000);
    fixtures.acknowledgingLane();
    fixtures.passMs(500);
    assertThat(fixtures.takeEffects()).contains("data 0+5").doesNotContain("Close FRAME_TOO_LONG");
    fixtures.receive(fixtures.frame(connection).consumed(5));
    assertThat(fixtures.takeEffects()).contains("Close FRAME_TOO_LONG");
  }

  @Test
  void violation_afterUnansweredMessages_endsAfterTheLingerTimeout() {
    Fixtures fixtures = new Fixtures();
    fixtures.acknowledgingLane();
    Connection connection = fixtures.accept();
    connection.onClientBytes(fixtures.nowNs, Fixtures.bytes(5), true);
    connection.onClientViolation(fixtures.nowNs, CloseReason.FRAME_TOO_LONG);
    connection.onClientEnd(fixtures.nowNs);
    for (int second = 1; second <= 9; second++) {
      fixtures.passMs(1_000);
      fixtures.receive(new UpstreamFrame().clear().control(new UpstreamControl.Pong(second)));
    }
    assertThat(fixtures.takeEffects()).doesNotContain("Close FRAME_TOO_LONG");
    fixtures.passMs(1_500);
    assertThat(fixtures.takeEffects()).contains("Close FRAME_TOO_LONG", "close");
  }

  @Test
  void bytes_inManyBuffers_countWithTheBufferOverhead() {
    Fixtures fixtures = new Fixtures();
    fixtures.acknowledgingLane();
    Connection connection = fixtures.accept();
    fixtures.isKernelFull = true;
    for (int i = 0; i < 3; i++) {
      fixtures.receive(fixtures.frame(connection).payload(Fixtures.bytes(1)));
    }
    assertThat(fixtures.budget.usedBytes()).isEqualTo(3 + 3 * Fixtures.BUFFER_OVERHEAD);
    connection.onClientBytes(fixtures.nowNs, Fixtures.bytes(Fixtures.WINDOW), true);
    connection.onClientBytes(fixtures.nowNs, Fixtures.bytes(1), true);
    connection.onClientBytes(fixtures.nowNs, Fixtures.bytes(1), true);
    fixtures.endTurn();
    assertThat(fixtures.budget.usedBytes())
        .isEqualTo(5 + Fixtures.WINDOW + 6 * Fixtures.BUFFER_OVERHEAD);
    connection.onClientLost(fixtures.nowNs, CloseReason.CLIENT_RESET);
    fixtures.endTurn();
    assertThat(fixtures.budget.usedBytes()).isZero();
  }

  @Test
  void clientsNotReading_slightlyOverTheBudget_doNotBlockOthersForever() {
    Fixtures fixtures = new Fixtures(POOL, 0, 90);
    fixtures.acknowledgingLane();
    Connection first = fixtures.accept();
    Connection second = fixtures.accept();
    fixtures.isKernelFull = true;
    fixtures.receive(fixtures.frame(first).payload(Fixtures.bytes(45)));
    fixtures.takeEffects();
    fixtures.receive(fixtures.frame(second).payload(Fixtures.bytes(50)));
    assertThat(fixtures.takeEffects()).containsExactly("pause accepting", "pause", "pause");
    fixtures.passMs(2500);
    assertThat(fixtures.takeEffects())
        .containsExactly(
            "Ping",
            "Close OVERLOAD",
            "RST",
            "closed OVERLOAD by BRIDGE",
            "resume accepting",
            "resume");
  }

  @Test
  void unfinishedMessages_overTheBudget_doNotBlockOthersForever() {
    Fixtures fixtures = new Fixtures(POOL, 0, 90);
    fixtures.acknowledgingLane();
    fixtures.accept().onClientPartial(fixtures.nowNs, 40);
    fixtures.accept().onClientPartial(fixtures.nowNs, 60);
    fixtures.endTurn();
    fixtures.takeEffects();
    fixtures.passMs(2500);
    assertThat(fixtures.takeEffects())
        .containsExactly(
            "Ping",
            "Close OVERLOAD",
            "RST",
            "closed OVERLOAD by BRIDGE",
            "resume accepting",
            "resume");
  }

  @Test
  void clientThatReads_moreRepliesInATurnThanTheQueue_isNotSlow() {
    Fixtures fixtures = new Fixtures();
    fixtures.upstreams("a:1");
    fixtures.lane().onReady(fixtures.nowNs);
    Connection connection = fixtures.accept();
    fixtures.receive(fixtures.frame(connection));
    fixtures.takeEffects();
    for (int i = 0; i < 4; i++) {
      fixtures
          .lane()
          .onFrame(fixtures.nowNs, fixtures.frame(connection).payload(Fixtures.bytes(30)));
    }
    fixtures.endTurn();
    assertThat(fixtures.takeEffects()).containsOnly("pause", "written 60", "resume");
    fixtures.isKernelFull = true;
    for (int i = 0; i < 3; i++) {
      fixtures
          .lane()
          .onFrame(fixtures.nowNs, fixtures.frame(connection).payload(Fixtures.bytes(30)));
    }
    assertThat(fixtures.takeEffects()).contains("Close SLOW_CLIENT");
  }

  @Test
  void flush_failingForOneConnection_flushesTheRestNextTurn() {
    Fixtures fixtures = new Fixtures();
    Lane lane = fixtures.acknowledgingLane();
    Connection first = fixtures.accept();
    Connection second = fixtures.accept();
    lane.onFrame(fixtures.nowNs, fixtures.frame(first).payload(Fixtures.bytes(1)));
    lane.onFrame(fixtures.nowNs, fixtures.frame(second).payload(Fixtures.bytes(2)));
    second.onClientBytes(fixtures.nowNs, Fixtures.bytes(3), false);
    long batches = fixtures.counters.total(Counter.BATCHES_SENT);
    fixtures.failsNextFlush = true;
    assertThatThrownBy(fixtures::endTurn).isInstanceOf(IllegalStateException.class);
    fixtures.takeEffects();
    fixtures.endTurn();
    assertThat(fixtures.takeEffects()).contains("written 2");
    assertThat(fixtures.counters.total(Counter.BATCHES_SENT)).isEqualTo(batches + 1);
  }
}
