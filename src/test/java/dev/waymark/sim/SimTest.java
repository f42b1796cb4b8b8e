package dev.waymark.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.core.CloseReason;
import dev.waymark.core.ConnectionSummary;
import dev.waymark.core.Reopen;
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
  private static final int MUTATED_STEPS = 1200;
  private static final long FIRST_SEED = Long.getLong("waymark.sim.first", 0x5eed);
  private static final int SEEDS = Integer.getInteger("waymark.sim.seeds", 10_000);
  private static final Long ONE_SEED = Long.getLong("waymark.sim.seed");

  private final Map<CloseReason, Integer> ends = new EnumMap<>(CloseReason.class);
  private final Map<Reopen.Cause, Long> moves = new EnumMap<>(Reopen.Cause.class);

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
      assertThat(moves).containsOnlyKeys(Reopen.Cause.values());
      assertThat(moves.values()).allMatch(count -> count > 100);
    }
  }

  @Test
  void shard_withoutFaults_endsAndLosesNothing() {
    for (int i = 0; i < 100; i++) {
      run(i, Faults.none());
    }
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void checkers_withADefectAtTheEdge_seeIt(Mutation mutation) {
    Map<String, Integer> seen = new TreeMap<>();
    for (int seed = 0; seed < 50; seed++) {
      try {
        new Sim(seed, Faults.moving(), mutation).run(MUTATED_STEPS);
      } catch (AssertionError | RuntimeException broken) {
        seen.merge(String.valueOf(broken.getMessage()).split(" \\(")[0], 1, Integer::sum);
      }
    }
    assertThat(seen.getOrDefault(mutation.rule(), 0))
        .as("runs of 50 in which the checker of " + mutation + " saw it; all: " + seen)
        .isGreaterThan(5);
  }

  private void run(long seed, Faults faults) {
    Sim sim = new Sim(seed, faults, Mutation.NONE);
    try {
      sim.run(STEPS_MIN + (int) Math.floorMod(seed * 31, (long) STEPS_MAX - STEPS_MIN));
    } catch (AssertionError | RuntimeException broken) {
      String command = "mvn -q test -Dtest=SimTest -Dwaymark.sim.seed=" + seed;
      throw new AssertionError(
          "FAILED " + broken.getMessage() + "\n  " + command + "\n" + sim, broken);
    }
    for (ConnectionSummary summary : sim.summaries()) {
      ends.merge(summary.reason(), 1, Integer::sum);
    }
    for (Reopen.Cause cause : Reopen.Cause.values()) {
      moves.merge(cause, sim.counters().moved(cause), Long::sum);
    }
  }
}
