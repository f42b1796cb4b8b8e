package dev.waymark.engine.shard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.engine.connection.Connection;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Mark;
import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.PushResult.Outcome;
import dev.waymark.protocol.UpstreamFrame;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Routing of pushes (rule 6), and what their sender may learn about connections. */
class PushRouterTest {
  private static final long ABSENT = UpstreamFrame.ABSENT;

  private Fixtures fixtures = new Fixtures();

  // --- GONE, NEVER_EXISTED ---

  @Test
  void push_toAClosedConnection_isGoneWithReasonAndTime() {
    Connection connection = connected();
    fixtures.passMs(1000);
    fixtures.isKernelFull = true;
    fixtures.receive(fixtures.reply(connection, "one"));
    fixtures.push(connection, "waits");
    fixtures.receive(fixtures.frame(connection).close(CloseReason.DONE.wireCode()));
    fixtures.push(connection, "while it closes");
    fixtures.socket(connection).drain();
    connection.onClientEnd(fixtures.nowNs);
    fixtures.passMs(1000);
    assertThat(fixtures.shard.connectionCount()).isZero();
    fixtures.push(connection, "after it closed");
    assertThat(fixtures.pushResults)
        .containsExactly(
            new PushResult(1, Outcome.GONE, CloseReason.DONE, 1001, 0),
            new PushResult(2, Outcome.GONE, CloseReason.DONE, 1001, 0),
            new PushResult(3, Outcome.GONE, CloseReason.DONE, 1001, 0));
  }

  @Test
  void push_toAForgottenConnection_isGoneWithoutReason() {
    fixtures =
        new Fixtures(
            List.of(Fixtures.pool("pool")),
            List.of(Fixtures.listener("listener", "pool", 0)),
            10_000,
            PushRouter.CLOSES_MAX / 2);
    fixtures.acknowledgingLane();
    List<Mark> closed =
        List.of(1, 2, 3).stream()
            .map(_ -> {
              Connection connection = fixtures.accept();
              connection.onClientLost(fixtures.nowNs, CloseReason.CLIENT_RESET);
              return connection.mark();
            })
            .toList();
    closed.forEach(mark -> fixtures.push(mark, "x", ABSENT));
    assertThat(fixtures.pushResults)
        .extracting(PushResult::reason)
        .containsExactly(null, CloseReason.CLIENT_RESET, CloseReason.CLIENT_RESET);
    assertThat(fixtures.pushOutcomes()).containsOnly(Outcome.GONE);
  }

  @Test
  void push_toAnUnknownMark_isNeverExisted() {
    Connection connection = connected();
    assertThat(fixtures.push(new Mark(42, connection.sequence() + 1), "x", ABSENT))
        .isEqualTo(Outcome.NEVER_EXISTED);
    assertThat(fixtures.push(new Mark(42, 0), "x", ABSENT)).isEqualTo(Outcome.NEVER_EXISTED);
    assertThat(fixtures.push(new Mark(43, connection.sequence()), "x", ABSENT))
        .isEqualTo(Outcome.NEVER_EXISTED);
    assertThat(fixtures.push((Mark) null, "x", ABSENT)).isEqualTo(Outcome.NEVER_EXISTED);
  }

  // --- FORBIDDEN ---

  @Test
  void pool_withoutListener_mayPushToNothing() {
    twoListeners();
    Connection open = fixtures.accept("first");
    Connection closed = closed("first");
    fixtures.laneOf("idle", "i:1", false);
    assertThat(fixtures.push(open, "x")).isEqualTo(Outcome.FORBIDDEN);
    assertThat(fixtures.push(closed, "x")).isEqualTo(Outcome.FORBIDDEN);
    assertThat(fixtures.push(new Mark(42, 999), "x", ABSENT)).isEqualTo(Outcome.FORBIDDEN);
    assertThat(fixtures.push(new Mark(1, 1), "x", ABSENT)).isEqualTo(Outcome.FORBIDDEN);
    assertThat(fixtures.push((Mark) null, "x", ABSENT)).isEqualTo(Outcome.FORBIDDEN);
  }

  @Test
  void pool_withOneListener_learnsNothingAboutOthers() {
    twoListeners();
    Connection own = fixtures.accept("first");
    Connection ownClosed = closed("first");
    Connection other = fixtures.accept("second");
    Connection otherClosed = closed("second");
    fixtures.laneOf("one", "a:2", false);
    assertThat(fixtures.push(own, "x")).isEqualTo(Outcome.WRITTEN);
    assertThat(fixtures.push(ownClosed, "x")).isEqualTo(Outcome.GONE);
    assertThat(fixtures.push(other, "x")).isEqualTo(Outcome.FORBIDDEN);
    assertThat(fixtures.push(otherClosed, "x")).isEqualTo(Outcome.FORBIDDEN);
    assertThat(fixtures.push(new Mark(42, 999), "x", ABSENT)).isEqualTo(Outcome.FORBIDDEN);
    assertThat(fixtures.push(new Mark(1, 1), "x", ABSENT)).isEqualTo(Outcome.NEVER_EXISTED);
  }

  @Test
  void connection_ofARemovedListener_isForbiddenToPoolsThatCouldNotPushToIt() {
    twoListeners();
    Connection open = fixtures.accept("second");
    Connection closed = closed("second");
    fixtures.shard.onListenerRemoved("second");
    fixtures.laneOf("one", "a:2", false);
    assertThat(fixtures.push(open, "x")).isEqualTo(Outcome.FORBIDDEN);
    assertThat(fixtures.push(closed, "x")).isEqualTo(Outcome.FORBIDDEN);
  }

  @Test
  void pool_namedInPushFrom_mayPush() {
    twoListeners();
    Connection other = fixtures.accept("first");
    fixtures.laneOf("two", "b:2", false);
    assertThat(fixtures.push(other, "x")).isEqualTo(Outcome.WRITTEN);
    assertThat(fixtures.push(new Mark(42, 999), "x", ABSENT)).isEqualTo(Outcome.NEVER_EXISTED);
  }

  // --- other shards and other lanes ---

  @Test
  void push_forAnotherShard_isForwardedAndAnsweredFromThere() {
    twoShards();
    assertThat(fixtures.push(new Mark(42, 5), "x", ABSENT)).isNull();
    assertThat(fixtures.effects).contains("forward 1 to 1");
    fixtures.forwarded.getLast().accept(PushResult.of(1, Outcome.WRITTEN));
    assertThat(fixtures.pushOutcomes()).containsExactly(Outcome.WRITTEN);
    fixtures.isMailboxFull = true;
    assertThat(fixtures.push(new Mark(42, 5), "x", ABSENT)).isEqualTo(Outcome.FULL);
  }

  @Test
  void answer_forABrokenLane_isDropped() {
    twoShards();
    fixtures.push(new Mark(42, 5), "x", ABSENT);
    fixtures.lane().onBroken(fixtures.nowNs, "a test");
    fixtures.forwarded.getLast().accept(PushResult.of(1, Outcome.WRITTEN));
    fixtures.endTurn();
    assertThat(fixtures.pushOutcomes()).isEmpty();
    assertThat(fixtures.counters.pushes(Outcome.WRITTEN)).isEqualTo(1);
  }

  // --- helpers ---

  private Connection connected() {
    fixtures.acknowledgingLane();
    return fixtures.accept();
  }

  private void twoShards() {
    fixtures =
        new Fixtures(
            List.of(Fixtures.pool("pool")),
            List.of(Fixtures.listener("listener", "pool", 0)),
            10_000,
            2);
    fixtures.acknowledgingLane();
  }

  /** Pool one serves listener first; pool two serves listener second and may push to first. */
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
}
