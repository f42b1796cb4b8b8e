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

/** Whom a process closes that holds too much. Sockets are gone later than they are closed. */
class ShardMemoryTest {
  private static final int REPLY = Fixtures.REPLY_WINDOW;

  /** What a client holds that does not read its reply. */
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
                    "listener", "pool", Framing.RAW, 0, 0, Set.of(), AgeOptions.OFF)),
            budgetBytes,
            shards);
    fixtures.isClosingLate = true;
    fixtures.attachedLane();
    return fixtures;
  }

  private static List<Connection> accept(Fixtures fixtures, int count) {
    return IntStream.range(0, count).mapToObj(_ -> fixtures.accept()).toList();
  }

  /** All in one turn; nobody reads them. */
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
  void clients_thatDoNotRead_aLittleOverTheBudget_onlyAsManyGoAsAreNeeded() {
    // 117 % of the budget: to be under 90 % again, 18 of 75 have to go.
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
    assertThat(fixtures.effects).contains("accept again");
  }

  @Test
  void budget_whileMemoryIsShort_isAQuarter() {
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
  void clients_thatDoNotRead_goInSteps() {
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
  void replies_farOverTheBudget_areGivenUpInTheTurnInWhichTheyCome() {
    Fixtures fixtures = world(64L * HELD);
    replyToAll(fixtures, accept(fixtures, 200), REPLY);
    // Under 125 %: 79 are left.
    assertThat(closed(fixtures)).isEqualTo(121);
    assertThat(fixtures.budget.usedBytes()).isEqualTo(79L * HELD);
    fixtures.endTurn();
    assertThat(closed(fixtures)).isEqualTo(121);
  }

  @Test
  void clients_ofDifferentSize_theLargestGoFirst() {
    Fixtures fixtures = world(64L * HELD);
    List<Connection> small = accept(fixtures, 40);
    List<Connection> large = accept(fixtures, 60);
    replyToAll(fixtures, small, 5);
    replyToAll(fixtures, large, REPLY);
    fixtures.passWithPongs(5_000);
    // 57.6 shares are left to stay under; the small ones hold 8.4 of them.
    assertThat(closed(fixtures)).isEqualTo(11);
    assertThat(small).allMatch(connection -> fixtures.socket(connection).isOpen());
  }

  @Test
  void clients_thatStartToRead_stopTheClosing() {
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
  void bytesOfClients_farOverTheBudget_costNobodyHisReply() {
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
  void shard_underItsShare_closesNobodyAndAsksTheOthers() {
    Fixtures fixtures = world(64L * HELD, 2);
    fixtures.budget.add(78L * HELD);
    replyToAll(fixtures, accept(fixtures, 10), REPLY);
    assertThat(closed(fixtures)).isZero();
    assertThat(fixtures.asksToFree).isPositive();
    fixtures.passWithPongs(5_000);
    assertThat(closed(fixtures)).isZero();
  }

  @Test
  void shard_thatIsAskedToFree_asksNobody() {
    Fixtures fixtures = world(64L * HELD, 2);
    fixtures.budget.add(90L * HELD);
    fixtures.shard.onMemoryAsked(fixtures.nowNs);
    assertThat(fixtures.asksToFree).isZero();
    replyToAll(fixtures, accept(fixtures, 10), REPLY);
    assertThat(fixtures.asksToFree).isPositive();
  }

  @Test
  void shards_thatFreeTogether_closeOnlyForWhatIsTooMuch() {
    // 120 % of the budget in two equal halves: this shard closes for its half of what is too much.
    Fixtures fixtures = world(64L * HELD, 2);
    fixtures.budget.add(38L * HELD);
    replyToAll(fixtures, accept(fixtures, 38), REPLY);
    fixtures.passWithPongs(5_000);
    assertThat(closed(fixtures)).isEqualTo(10);
  }

  @Test
  void free_fromTheMarkOn_takesNoMoreThanBringsTheProcessUnderIt() {
    MemoryBudget budget = new MemoryBudget(1_000);
    budget.add(1_000);
    assertThat(budget.free(60, 900)).isTrue();
    assertThat(budget.free(60, 900)).isTrue();
    assertThat(budget.free(60, 900)).isFalse();
    assertThat(budget.usedBytes()).isEqualTo(880);
  }
}
