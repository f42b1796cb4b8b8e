package dev.waymark.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.engine.connection.ConnectionSummary;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.ResumeState;
import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Runs the simulation. By default 10,000 seeds; {@code -Dwaymark.sim.seeds=N} runs as many as one
 * likes, {@code -Dwaymark.sim.first=S} begins with another than the usual one, {@code
 * -Dwaymark.sim.seed=S} runs a single one again.
 */
class SimTest {
  /** Most runs are short, so that there are many of them. */
  private static final int STEPS_MIN = 150;

  private static final int STEPS_MAX = 900;
  static final int POISON_STEPS = 3000;
  private static final int POISON_SEEDS = Integer.getInteger("waymark.sim.poison.seeds", 100);
  private static final long FIRST_SEED = Long.getLong("waymark.sim.first", 0x5eed);
  private static final int SEEDS = Integer.getInteger("waymark.sim.seeds", 10_000);
  private static final Long ONE_SEED = Long.getLong("waymark.sim.seed");

  private final Map<CloseReason, Integer> ends = new EnumMap<>(CloseReason.class);
  private final Map<ResumeState.Cause, Long> moves = new EnumMap<>(ResumeState.Cause.class);

  @Test
  void shard_underSeededFaults_keepsTheRules() {
    if (ONE_SEED != null) {
      run(ONE_SEED, null);
      return;
    }
    for (int i = 0; i < SEEDS; i++) {
      run(FIRST_SEED + i, null);
    }
    assertThat(ends).as("ends that the simulation reaches").containsKeys(CloseReason.DONE);
    if (SEEDS >= 3000) {
      assertThat(ends)
          .containsKeys(
              CloseReason.ABORT,
              CloseReason.BUSY,
              CloseReason.CLIENT_RESET,
              CloseReason.CLIENT_TIMEOUT,
              CloseReason.COMMIT_INCOMPLETE,
              CloseReason.IDLE_TIMEOUT,
              CloseReason.NO_UPSTREAM,
              CloseReason.POISON,
              CloseReason.UPSTREAM_LOST,
              CloseReason.FLOW_CONTROL,
              CloseReason.SETTINGS_LATE,
              CloseReason.SLOW_CLIENT,
              CloseReason.OVERLOAD,
              CloseReason.PROTOCOL,
              CloseReason.WINDOW_STALLED);
      assertThat(moves).containsOnlyKeys(ResumeState.Cause.values());
      assertThat(moves.values()).allMatch(count -> count > 100);
    }
  }

  @Test
  void shard_withoutFaults_endsAndLosesNothing() {
    for (int i = 0; i < 100; i++) {
      run(i, Faults.none());
    }
  }

  /** Long runs: each that is poisonous has to be caught, and there are several. */
  @Test
  void shard_underPoison_closesNoInnocent() {
    for (int i = 0; i < POISON_SEEDS; i++) {
      long seed = FIRST_SEED + i;
      run(
          new Sim(seed, Faults.poison(), Mutation.NONE),
          POISON_STEPS,
          "-Dwaymark.sim.poison.seeds=1 -Dwaymark.sim.first=" + seed);
    }
    assertThat(ends).containsKeys(CloseReason.POISON);
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void checkers_withADefectAtTheEdge_seeIt(Mutation mutation) {
    Map<String, Integer> seen = new TreeMap<>();
    for (int seed = 0; seed < 50; seed++) {
      try {
        new Sim(seed, mutation.faults(), mutation).run(mutation.steps());
      } catch (AssertionError | RuntimeException broken) {
        seen.merge(ruleOf(broken, mutation), 1, Integer::sum);
      }
    }
    assertThat(seen.getOrDefault(mutation.rule(), 0))
        .as("runs of 50 in which the checker of " + mutation + " saw it; all: " + seen)
        .isGreaterThan(5);
  }

  /** What saw it: the rule, or as much of it as the mutation names. */
  private static String ruleOf(Throwable broken, Mutation mutation) {
    String message = String.valueOf(broken.getMessage());
    return message.startsWith(mutation.rule()) ? mutation.rule() : message.split(" \\(")[0];
  }

  private void run(long seed, Faults faults) {
    run(
        new Sim(seed, faults, Mutation.NONE),
        STEPS_MIN + (int) Math.floorMod(seed * 31, (long) STEPS_MAX - STEPS_MIN),
        "-Dwaymark.sim.seed=" + seed);
  }

  private void run(Sim sim, int steps, String option) {
    try {
      sim.run(steps);
    } catch (AssertionError | RuntimeException broken) {
      String command = "mvn -q test -Dtest=SimTest " + option;
      throw new AssertionError(
          "FAILED " + broken.getMessage() + "\n  " + command + "\n" + sim, broken);
    }
    for (ConnectionSummary summary : sim.summaries()) {
      ends.merge(summary.reason(), 1, Integer::sum);
    }
    for (ResumeState.Cause cause : ResumeState.Cause.values()) {
      moves.merge(cause, sim.counters().moved(cause), Long::sum);
    }
  }
}
