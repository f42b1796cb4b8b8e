package dev.waymark.engine.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.shard.Fixtures;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.PushResult.Outcome;
import dev.waymark.protocol.UpstreamFrame;
import org.junit.jupiter.api.Test;

/** Pushes to an open connection (rule 6): when they are written, and when not. */
class PushTest {
  private static final long ABSENT = UpstreamFrame.ABSENT;

  private Fixtures fixtures = new Fixtures();

  // --- between replies ---

  @Test
  void push_beforeAnyReply_isWrittenAtOnce() {
    Connection connection = connected();
    assertThat(fixtures.push(connection, "hello")).isEqualTo(Outcome.WRITTEN);
    assertThat(fixtures.socket(connection).content).hasToString("hello");
  }

  @Test
  void push_inTheMiddleOfAReply_waitsForItsEnd() {
    Connection connection = connected();
    fixtures.receive(fixtures.reply(connection, "one "));
    assertThat(fixtures.push(connection, "PUSH")).isNull();
    fixtures.receive(fixtures.reply(connection, "two "));
    assertThat(fixtures.push(connection, "PUSH AGAIN")).isNull();
    fixtures.receive(fixtures.reply(connection, "three ").consumed(0));
    assertThat(fixtures.pushOutcomes()).containsExactly(Outcome.WRITTEN, Outcome.WRITTEN);
    fixtures.receive(fixtures.reply(connection, " four"));
    assertThat(fixtures.socket(connection).content)
        .hasToString("one two three PUSHPUSH AGAIN four");
  }

  @Test
  void push_duringAnUnfinishedCommit_isWrittenBeforeIt() {
    Connection connection = connected();
    fixtures.receive(fixtures.reply(connection, "one ").more(true));
    assertThat(fixtures.push(connection, "PUSH ")).isEqualTo(Outcome.WRITTEN);
    fixtures.receive(fixtures.reply(connection, "two").consumed(0));
    assertThat(fixtures.socket(connection).content).hasToString("PUSH one two");
  }

  @Test
  void push_withAnAtMostOnceOwner_isWrittenAtOnce() {
    fixtures.upstreams("a:1");
    fixtures.lane().onReady(fixtures.nowNs);
    Connection connection = fixtures.accept();
    fixtures.receive(fixtures.reply(connection, "one "));
    assertThat(fixtures.push(connection, "PUSH ")).isEqualTo(Outcome.WRITTEN);
    fixtures.receive(fixtures.reply(connection, "two"));
    assertThat(fixtures.socket(connection).content).hasToString("one PUSH two");
  }

  @Test
  void push_waitingTooLong_expires() {
    Connection connection = connected();
    fixtures.receive(fixtures.reply(connection, "one"));
    fixtures.push(connection, "PUSH");
    fixtures.passMs(4900);
    assertThat(fixtures.pushOutcomes()).isEmpty();
    fixtures.passMs(300);
    assertThat(fixtures.pushOutcomes()).containsExactly(Outcome.EXPIRED);
    fixtures.receive(fixtures.reply(connection, "two").consumed(0));
    assertThat(fixtures.socket(connection).content).hasToString("onetwo");
  }

  @Test
  void push_empty_isAnsweredAndWritesNothing() {
    Connection connection = connected();
    assertThat(fixtures.push(connection, "")).isEqualTo(Outcome.WRITTEN);
    assertThat(fixtures.socket(connection).content).isEmpty();
  }

  @Test
  void fin_withTheLastReply_isPrecededByWaitingPushes() {
    Connection connection = connected();
    fixtures.receive(fixtures.reply(connection, "one"));
    fixtures.push(connection, "PUSH");
    fixtures.receive(fixtures.reply(connection, "two").consumed(0).halfClose(true));
    assertThat(fixtures.pushOutcomes()).containsExactly(Outcome.WRITTEN);
    assertThat(fixtures.socket(connection).content).hasToString("onetwoPUSH");
    assertThat(fixtures.push(connection, "late")).isEqualTo(Outcome.GONE);
    assertThat(fixtures.pushResults.getLast().reason()).isNull();
  }

  @Test
  void fin_inTheMiddleOfAReply_leavesNoPlaceForPushes() {
    Connection connection = connected();
    fixtures.receive(fixtures.reply(connection, "one"));
    fixtures.push(connection, "PUSH");
    fixtures.receive(fixtures.reply(connection, "two").halfClose(true));
    assertThat(fixtures.pushOutcomes()).containsExactly(Outcome.GONE);
    assertThat(fixtures.socket(connection).content).hasToString("onetwo");
  }

  // --- pushes use memory, but no offsets and no credit ---

  @Test
  void push_written_usesNoCredit() {
    Connection connection = connected();
    fixtures.isKernelFull = true;
    fixtures.receive(fixtures.reply(connection, "x".repeat(30)).consumed(0));
    fixtures.push(connection, "y".repeat(15));
    fixtures.receive(fixtures.reply(connection, "z".repeat(10)).consumed(0));
    fixtures.takeEffects();
    fixtures.socket(connection).drain();
    fixtures.endTurn();
    assertThat(fixtures.takeEffects()).containsExactly("written 55", "limit 90");
    assertThat(connection.status().toString()).contains("55");
  }

  @Test
  void push_waitingOrNotTaken_countsAsHeldMemory() {
    Connection connection = connected();
    fixtures.receive(fixtures.reply(connection, "one"));
    fixtures.push(connection, "PUSH");
    assertThat(fixtures.budget.usedBytes()).isEqualTo(4 + Fixtures.BUFFER_OVERHEAD);
    fixtures.isKernelFull = true;
    fixtures.receive(fixtures.reply(connection, "").consumed(0));
    assertThat(fixtures.budget.usedBytes()).isEqualTo(4 + Fixtures.BUFFER_OVERHEAD);
    fixtures.socket(connection).drain();
    fixtures.endTurn();
    assertThat(fixtures.budget.usedBytes()).isZero();
  }

  @Test
  void close_withPushedBytesQueued_waitsForThem() {
    Connection connection = connected();
    fixtures.isKernelFull = true;
    fixtures.push(connection, "PUSH");
    connection.onClientEnd(fixtures.nowNs);
    fixtures.receive(fixtures.frame(connection).consumed(0).halfClose(true));
    fixtures.receive(fixtures.frame(connection).close(CloseReason.DONE.wireCode()));
    assertThat(fixtures.effects).doesNotContain("close");
    fixtures.socket(connection).drain();
    assertThat(fixtures.effects).contains("close", "closed DONE by CLIENT");
    assertThat(fixtures.summaries.getLast().toString()).contains("4");
  }

  // --- FULL ---

  @Test
  void push_beyondTheLimitOfWaitingBytes_isFull() {
    Connection connection = connected();
    fixtures.receive(fixtures.reply(connection, "one"));
    assertThat(fixtures.push(connection, "x".repeat(15))).isNull();
    assertThat(fixtures.push(connection, "x".repeat(6))).isEqualTo(Outcome.FULL);
    assertThat(fixtures.pushResults.getLast().waitingBytes()).isEqualTo(15);
    assertThat(fixtures.push(connection, "x".repeat(5))).isNull();
  }

  @Test
  void push_toAClientNotReading_isFull() {
    Connection connection = connected();
    fixtures.isKernelFull = true;
    assertThat(fixtures.push(connection, "x".repeat(20))).isEqualTo(Outcome.WRITTEN);
    assertThat(fixtures.push(connection, "x")).isEqualTo(Outcome.FULL);
    fixtures.socket(connection).drain();
    assertThat(fixtures.push(connection, "x")).isEqualTo(Outcome.WRITTEN);
  }

  @Test
  void pushes_empty_areBoundedToo() {
    Connection connection = connected();
    fixtures.receive(fixtures.reply(connection, "one"));
    for (int i = 0; i < PushQueue.COUNT_MAX; i++) {
      assertThat(fixtures.push(connection, "")).isNull();
    }
    assertThat(fixtures.push(connection, "")).isEqualTo(Outcome.FULL);
  }

  @Test
  void push_overTheMemoryBudget_isFull() {
    fixtures = new Fixtures(Fixtures.pool("pool"), 0, 40);
    Connection connection = connected();
    fixtures.isKernelFull = true;
    fixtures.receive(fixtures.reply(connection, "x".repeat(42)).consumed(0));
    assertThat(fixtures.push(connection, "x")).isEqualTo(Outcome.FULL);
  }

  // --- FENCED ---

  @Test
  void push_withAnEpoch_isWrittenInThatEpochOnly() {
    Connection connection = connected();
    assertThat(fixtures.push(connection.mark(), "x", 1)).isEqualTo(Outcome.FENCED);
    assertThat(fixtures.push(connection.mark(), "x", 0)).isEqualTo(Outcome.WRITTEN);
  }

  @Test
  void push_waitingDuringAMove_isFencedOnlyIfItNamesAnEpoch() {
    fixtures.acknowledgingLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    fixtures.data(connection, 3);
    fixtures.lanes.getFirst().onFrame(fixtures.nowNs, fixtures.reply(connection, "one "));
    assertThat(fixtures.push(connection.mark(), "fenced", 0)).isNull();
    assertThat(fixtures.push(connection.mark(), "PUSH", ABSENT)).isNull();
    fixtures.broken(fixtures.lanes.getFirst());
    assertThat(fixtures.pushOutcomes()).containsExactly(Outcome.FENCED);
    fixtures.receive(fixtures.reply(connection, "two ").consumed(3));
    assertThat(fixtures.pushOutcomes()).containsExactly(Outcome.FENCED, Outcome.WRITTEN);
    assertThat(fixtures.socket(connection).content).hasToString("one two PUSH");
  }

  // --- a sender that does not read ---

  @Test
  void lane_notReadingLateAnswers_isCancelled() {
    Connection connection = connected();
    fixtures.receive(fixtures.reply(connection, "one"));
    fixtures.isWritable = false;
    for (int i = 0; i < 11; i++) {
      for (int j = 0; j < PushQueue.COUNT_MAX; j++) {
        fixtures.push(connection, "");
      }
      fixtures.receive(fixtures.reply(connection, "x").consumed(0));
      fixtures.receive(fixtures.reply(connection, "x"));
    }
    fixtures.passMs(200);
    assertThat(fixtures.effects)
        .contains("cancel the upstream does not read the answers to its frames");
  }

  // --- helper ---

  private Connection connected() {
    fixtures.acknowledgingLane();
    return fixtures.accept();
  }
}
