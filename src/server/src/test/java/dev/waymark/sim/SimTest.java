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
 * Runs the simulation: 1,500 seeds by default, or {@code -Dwaymark.sim.seeds=N}, from {@code
 * -Dwaymark.sim.first=S} on. {@code -Dwaymark.sim.seed=S} repeats a single seed, {@code
 * -Dwaymark.sim.plan=...} a reduced plan that a failure has printed.
 */
class SimTest {
  static final int POISON_STEPS = 3000;
  private static final int POISON_SEEDS = Integer.getInteger("waymark.sim.poison.seeds", 100);
  private static final long FIRST_SEED = Long.getLong("waymark.sim.first", 0x5eed);
  private static final int SEEDS = Integer.getInteger("waymark.sim.seeds", 1_500);
  private static final @Nullable Long ONE_SEED = Long.getLong("waymark.sim.seed");
  private static final @Nullable String ONE_PLAN = System.getProperty("waymark.sim.plan");
  private static final int MUTATION_SEEDS = 50;

  /** Marks that the simulation cannot reach, and why. */
  private static final Map<String, String> OUT_OF_REACH =
      Map.of(
          "counter ANNOUNCEMENT_RESYNCS", "needs 10,000 changes in the queue",
          "lane broken: the upstream does not read the answers to its frames",
              "needs 10,000 unread answers",
          "end FENCED", "ends an attachment only",
          "end MOVED", "ends an attachment only",
          "end UNKNOWN_CONNECTION", "ends an attachment only",
          "push FORBIDDEN", "the only pool may push to the only listener");

  /** Defects that show in what clients and upstreams see. */
  private static final Set<Mutation> VISIBLE_AT_THE_ENDS =
      EnumSet.of(
          Mutation.DROP_DATA,
          Mutation.REORDER_DATA,
          Mutation.DUPLICATE_REPLY_BYTE,
          Mutation.REPLAY_FROM_SENT,
          Mutation.REPLAY_TOO_MUCH,
          Mutation.FORGET_COMMITTED,
          Mutation.LOSE_CONTEXT,
          Mutation.PUSH_ANSWERED_FALSELY,
          Mutation.ACCEPT_LATE_FRAME);

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
      System.out.println("marks that no seed reached: " + unreached);
      unreached.removeAll(OUT_OF_REACH.keySet());
      assertThat(unreached).as("unreached marks; reached: " + marks).isEmpty();
      for (ResumeState.Cause cause : ResumeState.Cause.values()) {
        assertThat(marks.count(Marks.move(cause))).as("moves: " + cause).isGreaterThan(100);
      }
    }
  }

  @Test
  void shard_withoutFaults_settlesAndLosesNothing() {
    List<Plan> plans =
        LongStream.range(0, 100).mapToObj(seed -> Plan.of(seed, Faults.none())).toList();
    Runs.run(plans, marks::add);
  }

  /** Long runs with several poisonous connections, each of which has to be caught. */
  @Test
  void shard_underPoison_closesOnlyPoisonousConnections() {
    List<Plan> plans =
        seeds(POISON_SEEDS).mapToObj(seed -> Plan.of(seed, Faults.poison(), POISON_STEPS)).toList();
    Runs.run(plans, marks::add);
    assertThat(marks.count(Marks.end(CloseReason.POISON))).isPositive();
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void checker_withADefectInjected_catchesIt(Mutation mutation) {
    List<Callable<String>> runs = new ArrayList<>();
    for (int seed = 0; seed < MUTATION_SEEDS; seed++) {
      Plan plan = plan(seed, mutation);
      runs.add(() -> ruleOf(Runs.outcome(new Sim(plan, mutation)).failure(), mutation));
    }
    Map<String, Integer> seen = new TreeMap<>();
    Runs.inParallel(runs).forEach(rule -> seen.merge(rule, 1, Integer::sum));
    assertThat(seen.getOrDefault(mutation.rule(), 0))
        .as("runs of 50 in which the checker caught " + mutation + "; all failures: " + seen)
        .isGreaterThan(5);
  }

  /** The rule checkers are muted. */
  @ParameterizedTest
  @MethodSource("visibleAtTheEnds")
  void history_alone_catchesDefectsThatTheEndsCanSee(Mutation mutation) {
    List<Callable<Boolean>> runs = new ArrayList<>();
    for (int seed = 0; seed < MUTATION_SEEDS; seed++) {
      Plan plan = plan(seed, mutation);
      runs.add(() -> {
        Throwable failure = Runs.outcome(Sim.withHistoryAlone(plan, mutation)).failure();
        return failure instanceof WrongHistoryError;
      });
    }
    long seen = Runs.inParallel(runs).stream().filter(isCaught -> isCaught).count();
    assertThat(seen).as("runs of 50 in which the history caught " + mutation).isGreaterThan(5);
  }

  /** One or two shards: the fewer there are, the more happens on each. */
  private static Plan plan(long seed, Mutation mutation) {
    return Plan.of(seed, mutation.faults(), mutation.steps()).withShardsMax(1 + (int) seed % 2);
  }

  static Set<Mutation> visibleAtTheEnds() {
    return VISIBLE_AT_THE_ENDS;
  }

  @Test
  void history_alone_withoutADefect_passes() {
    for (int seed = 0; seed < MUTATION_SEEDS; seed++) {
      Plan plan = Plan.of(seed, Faults.moving(), 1200);
      assertThat(Runs.outcome(Sim.withHistoryAlone(plan, Mutation.NONE)).failure()).isNull();
    }
  }

  /** The rule that failed, cut to {@link Mutation#rule} if it is the expected one. */
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
