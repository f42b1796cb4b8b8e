package dev.waymark.engine.shard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.engine.connection.AgeOptions;
import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.connection.ListenerOptions;
import dev.waymark.protocol.Framing;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Which connections are closed when too much memory is held. Closing a socket takes a while. */
class ShardMemoryTest {
  private static final int REPLY = Fixtures.REPLY_WINDOW;

  /** What the bridge holds for a client that does not read its reply. */
  private static final int HELD = REPLY + Fixtures.BUFFER_OVERHEAD;

  private static Fixtures world(long budgetBytes) {
    return world(budgetBytes, 1);
  }

  private static Fixtures world(long budgetBytes, int shards) {
    Fixtures fixtures =
        new Fixtures(
            List.of(Fixtures.pool("pool")),
            List.of(
                new ListenerOptions(
                    "listener", "pool", Framing.RAW, 0, 0, 0, Set.of(), AgeOptions.OFF)),
            budgetBytes,
            shards);
    fixtures.isCloseDeferred = true;
    fixtures.acknowledgingLane();
    return fixtures;
  }

  private static List<Connection> accept(Fixtures fixtures, int count) {
    return IntStream.range(0, count).mapToObj(_ -> fixtures.accept()).toList();
  }

  /** Sends a reply to each connection in one turn; no client reads it. */
  private static void replyToAll(Fixtures fixtures, List<Connection> connections, int bytes) {
    fixtures.isKernelFull = true;
    for (Connection connection : connections) {
      Fixtures.owner(connection)
          .onFrame(fixtures.nowNs, fixtures.frame(connection).payload(Fixtures.bytes(bytes)));
    }
    fixtures.endTurn();
  }

  private static long closed(Fixtures fixtures) {
    return fixtures.sockets.stream().filter(socket -> !socket.isOpen()).count();
  }

  @Test
  void clientsNotReading_slightlyOverTheBudget_areClosedOnlyAsNeeded() {
    // 117 % of the budget: to get below 90 %, 18 of 75 have to be closed.
    Fixtures fixtures = world(64L * HELD);
    List<Connection> all = accept(fixtures, 75);
    replyToAll(fixtures, all, REPLY);
    assertThat(closed(fixtures)).isZero();
    fixtures.passWithPongs(1_900);
    assertThat(closed(fixtures)).isZero();
    fixtures.passWithPongs(3_000);
    assertThat(closed(fixtures)).isEqualTo(18);
    fixtures.finishClosing();
    fixtures.passWithPongs(3_000);
    assertThat(closed(fixtures)).isEqualTo(18);
    assertThat(fixtures.budget.usedBytes()).isEqualTo(57L * HELD);
    assertThat(fixtures.effects).contains("resume accepting");
  }

  @Test
  void budget_whileMemoryIsShort_isQuartered() {
    boolean[] isShort = new boolean[1];
    MemoryBudget budget = new MemoryBudget(1_000, () -> isShort[0]);
    budget.add(400);
    assertThat(budget.isOver()).isFalse();
    isShort[0] = true;
    assertThat(budget.isOver()).isTrue();
    assertThat(budget.isFarOver()).isTrue();
    assertThat(budget.limitBytes()).isEqualTo(250);
    budget.add(-180);
    assertThat(budget.hasRecovered()).isTrue();
  }

  @Test
  void clientsNotReading_overTheBudget_areClosedInSteps() {
    Fixtures fixtures = world(64L * HELD);
    replyToAll(fixtures, accept(fixtures, 75), REPLY);
    List<Long> steps = new ArrayList<>();
    fixtures.passWithPongs(1_900);
    for (long before = closed(fixtures); steps.size() < 4; before = closed(fixtures)) {
      fixtures.passMs(100);
      if (closed(fixtures) > before) {
        steps.add(closed(fixtures) - before);
      }
    }
    assertThat(steps).containsExactly(5L, 4L, 3L, 2L);
  }

  @Test
  void replies_farOverTheBudget_areDroppedInTheSameTurn() {
    Fixtures fixtures = world(64L * HELD);
    replyToAll(fixtures, accept(fixtures, 200), REPLY);
    // 79 are below 125 % of the budget.
    assertThat(closed(fixtures)).isEqualTo(121);
    assertThat(fixtures.budget.usedBytes()).isEqualTo(79L * HELD);
    fixtures.endTurn();
    assertThat(closed(fixtures)).isEqualTo(121);
  }

  @Test
  void clientsOfDifferentSize_overTheBudget_areClosedLargestFirst() {
    Fixtures fixtures = world(64L * HELD);
    List<Connection> small = accept(fixtures, 40);
    List<Connection> large = accept(fixtures, 60);
    replyToAll(fixtures, small, 5);
    replyToAll(fixtures, large, REPLY);
    fixtures.passWithPongs(5_000);
    // The goal is 57.6 x HELD, of which the small ones hold 8.4.
    assertThat(closed(fixtures)).isEqualTo(11);
    assertThat(small).allMatch(connection -> fixtures.socket(connection).isOpen());
  }

  @Test
  void clients_thatStartReading_stopTheClosing() {
    Fixtures fixtures = world(64L * HELD);
    List<Connection> all = accept(fixtures, 75);
    replyToAll(fixtures, all, REPLY);
    fixtures.passWithPongs(2_100);
    long before = closed(fixtures);
    assertThat(before).isBetween(1L, 17L);
    fixtures.isKernelFull = false;
    all.subList(40, 75).stream().map(fixtures::socket).forEach(FakeSocket::drain);
    fixtures.passWithPongs(3_000);
    assertThat(closed(fixtures)).isEqualTo(before);
  }

  @Test
  void clientBytes_farOverTheBudget_closeNoConnectionWithAReply() {
    Fixtures fixtures = world(10L * HELD);
    List<Connection> senders = accept(fixtures, 40);
    Connection innocent = fixtures.accept();
    senders.forEach(sender -> sender.onClientBytes(fixtures.nowNs, Fixtures.bytes(REPLY), false));
    replyToAll(fixtures, List.of(innocent), 1);
    assertThat(fixtures.budget.usedBytes()).isGreaterThan(30L * HELD);
    fixtures.passWithPongs(1_900);
    assertThat(closed(fixtures)).isZero();
  }

  @Test
  void shard_belowItsShare_closesNothingAndAsksTheOthers() {
    Fixtures fixtures = world(64L * HELD, 2);
    fixtures.budget.add(78L * HELD);
    replyToAll(fixtures, accept(fixtures, 10), REPLY);
    assertThat(closed(fixtures)).isZero();
    assertThat(fixtures.freeRequests).isPositive();
    fixtures.passWithPongs(5_000);
    assertThat(closed(fixtures)).isZero();
  }

  @Test
  void shard_askedToFree_doesNotAskOthers() {
    Fixtures fixtures = world(64L * HELD, 2);
    fixtures.budget.add(90L * HELD);
    fixtures.shard.onMemoryAsked(fixtures.nowNs);
    assertThat(fixtures.freeRequests).isZero();
    replyToAll(fixtures, accept(fixtures, 10), REPLY);
    assertThat(fixtures.freeRequests).isPositive();
  }

  @Test
  void shards_freeingTogether_closeOnlyForTheExcess() {
    // 120 % of the budget, held by two shards equally: this one frees half of the excess.
    Fixtures fixtures = world(64L * HELD, 2);
    fixtures.budget.add(38L * HELD);
    replyToAll(fixtures, accept(fixtures, 38), REPLY);
    fixtures.passWithPongs(5_000);
    assertThat(closed(fixtures)).isEqualTo(10);
  }

  @Test
  void free_acrossShards_stopsAtTheTarget() {
    MemoryBudget budget = new MemoryBudget(1_000);
    budget.add(1_000);
    assertThat(budget.free(60, 900)).isTrue();
    assertThat(budget.free(60, 900)).isTrue();
    assertThat(budget.free(60, 900)).isFalse();
    assertThat(budget.usedBytes()).isEqualTo(880);
  }
}
