package dev.waymark.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.core.PushResult.Outcome;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Rule 6: what is pushed, when it is written, and what its sender is told. */
class PushTest {
  private static final long ABSENT = UpstreamFrame.ABSENT;

  private Fixtures fixtures = new Fixtures();
  private long lastId;

  // --- where a reply ends ---

  @Test
  void push_beforeAnyReply_isWrittenAtOnce() {
    Connection connection = connected();
    assertThat(push(connection, "hello")).isEqualTo(Outcome.WRITTEN);
    assertThat(fixtures.socket(connection).content).hasToString("hello");
  }

  @Test
  void push_betweenThePartsOfALongReply_waitsForItsEnd() {
    Connection connection = connected();
    fixtures.receive(reply(connection, "one "));
    assertThat(push(connection, "PUSH")).isNull();
    fixtures.receive(reply(connection, "two "));
    assertThat(push(connection, "PUSH AGAIN")).isNull();
    fixtures.receive(reply(connection, "three ").consumed(0));
    assertThat(results()).containsExactly(Outcome.WRITTEN, Outcome.WRITTEN);
    fixtures.receive(reply(connection, " four"));
    assertThat(fixtures.socket(connection).content)
        .hasToString("one two three PUSHPUSH AGAIN four");
  }

  @Test
  void push_whileACommitIsHeldBack_goesBeforeIt() {
    Connection connection = connected();
    fixtures.receive(reply(connection, "one ").more(true));
    assertThat(push(connection, "PUSH ")).isEqualTo(Outcome.WRITTEN);
    fixtures.receive(reply(connection, "two").consumed(0));
    assertThat(fixtures.socket(connection).content).hasToString("PUSH one two");
  }

  @Test
  void push_withAPlainOwner_goesBehindWhateverItSent() {
    fixtures.upstreams("a:1");
    fixtures.lane().onReady(fixtures.nowNs);
    Connection connection = fixtures.accept();
    fixtures.receive(reply(connection, "one "));
    assertThat(push(connection, "PUSH ")).isEqualTo(Outcome.WRITTEN);
    fixtures.receive(reply(connection, "two"));
    assertThat(fixtures.socket(connection).content).hasToString("one PUSH two");
  }

  @Test
  void push_thatWaits_expires() {
    Connection connection = connected();
    fixtures.receive(reply(connection, "one"));
    push(connection, "PUSH");
    fixtures.passMs(4900);
    assertThat(results()).isEmpty();
    fixtures.passMs(300);
    assertThat(results()).containsExactly(Outcome.EXPIRED);
    fixtures.receive(reply(connection, "two").consumed(0));
    assertThat(fixtures.socket(connection).content).hasToString("onetwo");
  }

  @Test
  void push_ofNothing_isAnsweredAndWritesNothing() {
    Connection connection = connected();
    assertThat(push(connection, "")).isEqualTo(Outcome.WRITTEN);
    assertThat(fixtures.socket(connection).content).isEmpty();
  }

  @Test
  void lastReply_withFin_takesWhatWaitsAlong() {
    Connection connection = connected();
    fixtures.receive(reply(connection, "one"));
    push(connection, "PUSH");
    fixtures.receive(reply(connection, "two").consumed(0).halfClose(true));
    assertThat(results()).containsExactly(Outcome.WRITTEN);
    assertThat(fixtures.socket(connection).content).hasToString("onetwoPUSH");
    assertThat(push(connection, "late")).isEqualTo(Outcome.GONE);
    assertThat(fixtures.pushResults.getLast().reason()).isNull();
  }

  @Test
  void fin_inTheMiddleOfAReply_leavesNoPlace() {
    Connection connection = connected();
    fixtures.receive(reply(connection, "one"));
    push(connection, "PUSH");
    fixtures.receive(reply(connection, "two").halfClose(true));
    assertThat(results()).containsExactly(Outcome.GONE);
    assertThat(fixtures.socket(connection).content).hasToString("onetwo");
  }

  // --- no offset, no credit, but memory ---

  @Test
  void push_countsInNoCredit() {
    Connection connection = connected();
    fixtures.isKernelFull = true;
    fixtures.receive(reply(connection, "x".repeat(30)).consumed(0));
    push(connection, "y".repeat(15));
    fixtures.receive(reply(connection, "z".repeat(10)).consumed(0));
    fixtures.takeEffects();
    fixtures.socket(connection).drain();
    fixtures.endTurn();
    assertThat(fixtures.takeEffects()).containsExactly("written 55", "limit 90");
    assertThat(ConnectionStatus.of(connection).toString()).contains("55");
  }

  @Test
  void push_thatWaitsOrIsNotTaken_countsAsHeldMemory() {
    Connection connection = connected();
    fixtures.receive(reply(connection, "one"));
    push(connection, "PUSH");
    assertThat(fixtures.budget.usedBytes()).isEqualTo(4 + Fixtures.PIECE);
    fixtures.isKernelFull = true;
    fixtures.receive(reply(connection, "").consumed(0));
    assertThat(fixtures.budget.usedBytes()).isEqualTo(4 + Fixtures.PIECE);
    fixtures.socket(connection).drain();
    fixtures.endTurn();
    assertThat(fixtures.budget.usedBytes()).isZero();
  }

  @Test
  void closing_withPushedBytesQueued_waitsForThem() {
    Connection connection = connected();
    fixtures.isKernelFull = true;
    push(connection, "PUSH");
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
  void push_beyondWhatMayWait_isFull() {
    Connection connection = connected();
    fixtures.receive(reply(connection, "one"));
    assertThat(push(connection, "x".repeat(15))).isNull();
    assertThat(push(connection, "x".repeat(6))).isEqualTo(Outcome.FULL);
    assertThat(fixtures.pushResults.getLast().waitingBytes()).isEqualTo(15);
    assertThat(push(connection, "x".repeat(5))).isNull();
  }

  @Test
  void push_toAClientThatDoesNotRead_isFull() {
    Connection connection = connected();
    fixtures.isKernelFull = true;
    assertThat(push(connection, "x".repeat(20))).isEqualTo(Outcome.WRITTEN);
    assertThat(push(connection, "x")).isEqualTo(Outcome.FULL);
    fixtures.socket(connection).drain();
    assertThat(push(connection, "x")).isEqualTo(Outcome.WRITTEN);
  }

  @Test
  void pushes_ofNothing_areBoundedToo() {
    Connection connection = connected();
    fixtures.receive(reply(connection, "one"));
    for (int i = 0; i < PushQueue.COUNT_MAX; i++) {
      assertThat(push(connection, "")).isNull();
    }
    assertThat(push(connection, "")).isEqualTo(Outcome.FULL);
  }

  @Test
  void push_whileTheProcessIsOutOfMemory_isFull() {
    fixtures = new Fixtures(Fixtures.pool("pool"), 0, 40);
    Connection connection = connected();
    fixtures.isKernelFull = true;
    fixtures.receive(reply(connection, "x".repeat(42)).consumed(0));
    assertThat(push(connection, "x")).isEqualTo(Outcome.FULL);
  }

  // --- FENCED ---

  @Test
  void push_thatNamesAnEpoch_isWrittenInThatOneOnly() {
    Connection connection = connected();
    assertThat(push(connection.mark(), "x", 1)).isEqualTo(Outcome.FENCED);
    assertThat(push(connection.mark(), "x", 0)).isEqualTo(Outcome.WRITTEN);
  }

  @Test
  void push_thatWaitsWhileTheConnectionMoves_isFencedOnlyIfItNamedTheEpoch() {
    fixtures.attachedLanes("a:1", "b:1");
    Connection connection = fixtures.accept();
    fixtures.data(connection, 3);
    fixtures.lanes.getFirst().onFrame(fixtures.nowNs, reply(connection, "one "));
    assertThat(push(connection.mark(), "fenced", 0)).isNull();
    assertThat(push(connection.mark(), "PUSH", ABSENT)).isNull();
    fixtures.broken(fixtures.lanes.getFirst());
    assertThat(results()).containsExactly(Outcome.FENCED);
    fixtures.receive(reply(connection, "two ").consumed(3));
    assertThat(results()).containsExactly(Outcome.FENCED, Outcome.WRITTEN);
    assertThat(fixtures.socket(connection).content).hasToString("one two PUSH");
  }

  // --- GONE, NEVER_EXISTED ---

  @Test
  void push_toAConnectionThatEnds_isGoneWithItsReasonAndTime() {
    Connection connection = connected();
    fixtures.passMs(1000);
    fixtures.isKernelFull = true;
    fixtures.receive(reply(connection, "one"));
    push(connection, "waits");
    fixtures.receive(fixtures.frame(connection).close(CloseReason.DONE.wireCode()));
    push(connection, "while it closes");
    fixtures.socket(connection).drain();
    connection.onClientEnd(fixtures.nowNs);
    fixtures.passMs(1000);
    assertThat(fixtures.shard.connectionCount()).isZero();
    push(connection, "after it closed");
    assertThat(fixtures.pushResults)
        .containsExactly(
            new PushResult(1, Outcome.GONE, CloseReason.DONE, 1001, 0),
            new PushResult(2, Outcome.GONE, CloseReason.DONE, 1001, 0),
            new PushResult(3, Outcome.GONE, CloseReason.DONE, 1001, 0));
  }

  @Test
  void push_toAConnectionForgotten_isGoneWithoutReason() {
    fixtures =
        new Fixtures(
            List.of(Fixtures.pool("pool")),
            List.of(Fixtures.listener("listener", "pool", 0)),
            10_000,
            PushRouter.CLOSES_MAX / 2);
    fixtures.attachedLane();
    List<Mark> closed =
        List.of(1, 2, 3).stream()
            .map(_ -> {
              Connection connection = fixtures.accept();
              connection.onClientLost(fixtures.nowNs, CloseReason.CLIENT_RESET);
              return connection.mark();
            })
            .toList();
    closed.forEach(mark -> push(mark, "x", ABSENT));
    assertThat(fixtures.pushResults)
        .extracting(PushResult::reason)
        .containsExactly(null, CloseReason.CLIENT_RESET, CloseReason.CLIENT_RESET);
    assertThat(results()).containsOnly(Outcome.GONE);
  }

  @Test
  void push_toAMarkThatNeverWas_isToldSo() {
    Connection connection = connected();
    assertThat(push(new Mark(42, connection.sequence() + 1), "x", ABSENT))
        .isEqualTo(Outcome.NEVER_EXISTED);
    assertThat(push(new Mark(42, 0), "x", ABSENT)).isEqualTo(Outcome.NEVER_EXISTED);
    assertThat(push(new Mark(43, connection.sequence()), "x", ABSENT))
        .isEqualTo(Outcome.NEVER_EXISTED);
    assertThat(push((Mark) null, "x", ABSENT)).isEqualTo(Outcome.NEVER_EXISTED);
  }

  // --- FORBIDDEN ---

  @Test
  void pool_ofNoListener_isForbiddenEverything() {
    twoListeners();
    Connection open = fixtures.accept("first");
    Connection closed = closed("first");
    fixtures.laneOf("idle", "i:1", false);
    assertThat(push(open, "x")).isEqualTo(Outcome.FORBIDDEN);
    assertThat(push(closed, "x")).isEqualTo(Outcome.FORBIDDEN);
    assertThat(push(new Mark(42, 999), "x", ABSENT)).isEqualTo(Outcome.FORBIDDEN);
    assertThat(push(new Mark(1, 1), "x", ABSENT)).isEqualTo(Outcome.FORBIDDEN);
    assertThat(push((Mark) null, "x", ABSENT)).isEqualTo(Outcome.FORBIDDEN);
  }

  @Test
  void pool_ofOneListener_learnsNothingOfTheOther() {
    twoListeners();
    Connection own = fixtures.accept("first");
    Connection ownClosed = closed("first");
    Connection other = fixtures.accept("second");
    Connection otherClosed = closed("second");
    fixtures.laneOf("one", "a:2", false);
    assertThat(push(own, "x")).isEqualTo(Outcome.WRITTEN);
    assertThat(push(ownClosed, "x")).isEqualTo(Outcome.GONE);
    assertThat(push(other, "x")).isEqualTo(Outcome.FORBIDDEN);
    assertThat(push(otherClosed, "x")).isEqualTo(Outcome.FORBIDDEN);
    assertThat(push(new Mark(42, 999), "x", ABSENT)).isEqualTo(Outcome.FORBIDDEN);
    assertThat(push(new Mark(1, 1), "x", ABSENT)).isEqualTo(Outcome.NEVER_EXISTED);
  }

  @Test
  void pool_namedInPushFrom_mayPush() {
    twoListeners();
    Connection other = fixtures.accept("first");
    fixtures.laneOf("two", "b:2", false);
    assertThat(push(other, "x")).isEqualTo(Outcome.WRITTEN);
    assertThat(push(new Mark(42, 999), "x", ABSENT)).isEqualTo(Outcome.NEVER_EXISTED);
  }

  // --- other shards and other lanes ---

  @Test
  void push_forAnotherShard_isHandedOverAndAnsweredFromThere() {
    twoShards();
    assertThat(push(new Mark(42, 5), "x", ABSENT)).isNull();
    assertThat(fixtures.effects).contains("forward 1 to 1");
    fixtures.forwarded.getLast().accept(PushResult.of(1, Outcome.WRITTEN));
    assertThat(results()).containsExactly(Outcome.WRITTEN);
    fixtures.isMailboxFull = true;
    assertThat(push(new Mark(42, 5), "x", ABSENT)).isEqualTo(Outcome.FULL);
  }

  @Test
  void answer_forALaneThatIsNoMore_isDropped() {
    twoShards();
    push(new Mark(42, 5), "x", ABSENT);
    fixtures.lane().onBroken(fixtures.nowNs, "a test");
    fixtures.forwarded.getLast().accept(PushResult.of(1, Outcome.WRITTEN));
    fixtures.endTurn();
    assertThat(results()).isEmpty();
    assertThat(fixtures.counters.pushes(Outcome.WRITTEN)).isEqualTo(1);
  }

  @Test
  void lane_thatDoesNotReadLateAnswers_isLost() {
    Connection connection = connected();
    fixtures.receive(reply(connection, "one"));
    fixtures.isWritable = false;
    for (int i = 0; i < 11; i++) {
      for (int j = 0; j < PushQueue.COUNT_MAX; j++) {
        push(connection, "");
      }
      fixtures.receive(reply(connection, "x").consumed(0));
      fixtures.receive(reply(connection, "x"));
    }
    fixtures.passMs(200);
    assertThat(fixtures.effects).contains("cancel it does not read the answers to what it sends");
  }

  // --- helpers ---

  private Connection connected() {
    fixtures.attachedLane();
    return fixtures.accept();
  }

  private void twoShards() {
    fixtures =
        new Fixtures(
            List.of(Fixtures.pool("pool")),
            List.of(Fixtures.listener("listener", "pool", 0)),
            10_000,
            2);
    fixtures.attachedLane();
  }

  /** Pool one has the listener first, pool two the second and may push to the first. */
  private void twoListeners() {
    fixtures =
        new Fixtures(
            List.of(Fixtures.pool("one"), Fixtures.pool("two"), Fixtures.pool("idle")),
            List.of(
                Fixtures.listener("first", "one", 0, "two"), Fixtures.listener("second", "two", 0)),
            10_000,
            1);
    fixtures.laneOf("one", "a:1", false);
    fixtures.laneOf("two", "b:1", false);
  }

  private Connection closed(String listener) {
    Connection connection = fixtures.accept(listener);
    connection.onClientLost(fixtures.nowNs, CloseReason.CLIENT_RESET);
    return connection;
  }

  private UpstreamFrame reply(Connection connection, String text) {
    return fixtures.frame(connection).payload(Fixtures.text(text));
  }

  private @Nullable Outcome push(Connection connection, String text) {
    return push(connection.mark(), text, ABSENT);
  }

  /** On the newest lane. What it was answered at once, or null. */
  private @Nullable Outcome push(@Nullable Mark mark, String text, long epoch) {
    int before = fixtures.pushResults.size();
    byte[] payload = text.getBytes(StandardCharsets.ISO_8859_1);
    fixtures.control(fixtures.lane(), new UpstreamControl.Push(++lastId, mark, payload, epoch));
    return fixtures.pushResults.size() == before ? null : fixtures.pushResults.getLast().outcome();
  }

  private List<Outcome> results() {
    return fixtures.pushResults.stream().map(PushResult::outcome).toList();
  }
}
