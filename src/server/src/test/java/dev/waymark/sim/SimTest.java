package dev.waymark.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.ResumeState;
import dev.waymark.sim.history.WrongHistoryError;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Runs the simulation. By default 4,000 seeds; {@code -Dwaymark.sim.seeds=N} runs as many as one
 * likes, {@code -Dwaymark.sim.first=S} begins with another than the usual one, {@code
 * -Dwaymark.sim.seed=S} runs a single one again, {@code -Dwaymark.sim.plan=...} one that was made
 * smaller.
 */
class SimTest {
  static final int POISON_STEPS = 3000;
  private static final int POISON_SEEDS = Integer.getInteger("waymark.sim.poison.seeds", 100);
  private static final long FIRST_SEED = Long.getLong("waymark.sim.first", 0x5eed);
  private static final int SEEDS = Integer.getInteger("waymark.sim.seeds", 4_000);
  private static final @Nullable Long ONE_SEED = Long.getLong("waymark.sim.seed");
  private static final @Nullable String ONE_PLAN = System.getProperty("waymark.sim.plan");
  private static final int MUTATION_SEEDS = 50;

  /** Marks that this world does not lead to, and why. */
  private static final Map<String, String> OUT_OF_REACH =
      Map.of(
          "counter ANNOUNCEMENT_RESYNCS", "10,000 changes would have to wait",
          "lane broken: it does not read the answers to what it sends", "10,000 would have to wait",
          "end FENCED", "ends attachments only",
          "end MOVED", "ends attachments only",
          "end UNKNOWN_CONNECTION", "ends attachments only",
          "push FORBIDDEN", "there is one pool, and its listener is open to it");

  /** Defects that change what clients and upstreams see. */
  private static final Set<Mutation> SEEN_AT_THE_ENDS =
      EnumSet.of(
          Mutation.DROP_DATA,
          Mutation.REORDER_DATA,
          Mutation.DUPLICATE_REPLY_BYTE,
          Mutation.REPLAY_FROM_SENT,
          Mutation.REPLAY_TOO_MUCH,
          Mutation.FORGET_TAKEN,
          Mutation.LOSE_CONTEXT,
          Mutation.PUSH_ANSWERED_FALSELY,
          Mutation.TAKE_LATE_FRAME);

  private final Marks marks = new Marks();

  @Test
  void shard_underSeededFaults_keepsTheRules() {
    if (ONE_PLAN != null || ONE_SEED != null) {
      Plan plan = ONE_PLAN != null ? Plan.parse(ONE_PLAN) : Plan.any(ONE_SEED);
      Runs.run(List.of(plan), marks::add);
      return;
    }
    Runs.run(seeds(SEEDS).mapToObj(Plan::any).toList(), marks::add);
    assertThat(marks.count(Marks.end(CloseReason.DONE))).isPositive();
    if (SEEDS >= 3000) {
      Set<String> unreached = marks.unreached(Marks.all());
      System.out.println("marks that no seed has reached: " + unreached);
      unreached.removeAll(OUT_OF_REACH.keySet());
      assertThat(unreached).as("of " + marks).isEmpty();
      for (ResumeState.Cause cause : ResumeState.Cause.values()) {
        assertThat(marks.count(Marks.move(cause))).as("moves: " + cause).isGreaterThan(100);
      }
    }
  }

  @Test
  void shard_withoutFaults_endsAndLosesNothing() {
    List<Plan> plans =
        LongStream.range(0, 100).mapToObj(seed -> Plan.of(seed, Faults.none())).toList();
    Runs.run(plans, marks::add);
  }

  /** Long runs: each that is poisonous has to be caught, and there are several. */
  @Test
  void shard_underPoison_closesNoInnocent() {
    List<Plan> plans =
        seeds(POISON_SEEDS).mapToObj(seed -> Plan.of(seed, Faults.poison(), POISON_STEPS)).toList();
    Runs.run(plans, marks::add);
    assertThat(marks.count(Marks.end(CloseReason.POISON))).isPositive();
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void checkers_withADefectAtTheEdge_seeIt(Mutation mutation) {
    List<Callable<String>> runs = new ArrayList<>();
    for (int seed = 0; seed < MUTATION_SEEDS; seed++) {
      Plan plan = plan(seed, mutation);
      runs.add(() -> ruleOf(Runs.outcome(new Sim(plan, mutation)).failure(), mutation));
    }
    Map<String, Integer> seen = new TreeMap<>();
    Runs.inParallel(runs).forEach(rule -> seen.merge(rule, 1, Integer::sum));
    assertThat(seen.getOrDefault(mutation.rule(), 0))
        .as("runs of 50 in which the checker of " + mutation + " saw it; all: " + seen)
        .isGreaterThan(5);
  }

  /** No other checker says anything. */
  @ParameterizedTest
  @MethodSource("seenAtTheEnds")
  void history_alone_seesWhatClientsAndUpstreamsCanSee(Mutation mutation) {
    List<Callable<Boolean>> runs = new ArrayList<>();
    for (int seed = 0; seed < MUTATION_SEEDS; seed++) {
      Plan plan = plan(seed, mutation);
      runs.add(() -> {
        Throwable failure = Runs.outcome(Sim.withHistoryAlone(plan, mutation)).failure();
        return failure instanceof WrongHistoryError;
      });
    }
    long seen = Runs.inParallel(runs).stream().filter(isSeen -> isSeen).count();
    assertThat(seen).as("runs of 50 in which the history shows " + mutation).isGreaterThan(5);
  }

  /** The fewer the shards the more happens on each. */
  private static Plan plan(long seed, Mutation mutation) {
    return Plan.of(seed, mutation.faults(), mutation.steps()).withShardsMax(1 + (int) seed % 2);
  }

  static Set<Mutation> seenAtTheEnds() {
    return SEEN_AT_THE_ENDS;
  }

  @Test
  void history_alone_withoutADefect_isRight() {
    for (int seed = 0; seed < MUTATION_SEEDS; seed++) {
      Plan plan = Plan.of(seed, Faults.moving(), 1200);
      assertThat(Runs.outcome(Sim.withHistoryAlone(plan, Mutation.NONE)).failure()).isNull();
    }
  }

  /** What saw it: the rule, or as much of it as the mutation names. */
  private static String ruleOf(@Nullable Throwable broken, Mutation mutation) {
    if (broken == null) {
      return "nothing";
    }
    String message = String.valueOf(broken.getMessage());
    return message.startsWith(mutation.rule()) ? mutation.rule() : message.split(" \\(")[0];
  }

  private static LongStream seeds(int count) {
    return LongStream.range(FIRST_SEED, FIRST_SEED + count);
  }
}
