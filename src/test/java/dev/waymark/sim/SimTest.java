package dev.waymark.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.core.CloseReason;
import dev.waymark.core.ConnectionSummary;
import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SimTest {
  private static final int STEPS = 1500;
  private static final long FIRST_SEED = 0x5eed;
  private static final int SEEDS = Integer.getInteger("waymark.sim.seeds", 3000);
  private static final Long ONE_SEED = Long.getLong("waymark.sim.seed");

  @Test
  void shard_underSeededFaults_keepsTheRules() {
    Map<CloseReason, Integer> ends = new EnumMap<>(CloseReason.class);
    if (ONE_SEED != null) {
      run(ONE_SEED, null, ends);
      return;
    }
    for (int i = 0; i < SEEDS; i++) {
      run(FIRST_SEED + i, null, ends);
    }
    assertThat(ends).as("ends that the simulation reaches").containsKeys(CloseReason.DONE);
    if (SEEDS >= 3000) {
      assertThat(ends)
          .containsKeys(
              CloseReason.ABORT,
              CloseReason.CLIENT_RESET,
              CloseReason.CLIENT_TIMEOUT,
              CloseReason.IDLE_TIMEOUT,
              CloseReason.NO_UPSTREAM,
              CloseReason.UPSTREAM_LOST,
              CloseReason.FLOW_CONTROL,
              CloseReason.SETTINGS_LATE,
              CloseReason.SLOW_CLIENT,
              CloseReason.OVERLOAD,
              CloseReason.PROTOCOL);
    }
  }

  @Test
  void shard_withoutFaults_endsAndLosesNothing() {
    for (int i = 0; i < 100; i++) {
      run(i, Faults.none(), new EnumMap<>(CloseReason.class));
    }
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void checkers_withADefectAtTheEdge_seeIt(Mutation mutation) {
    Map<String, Integer> seen = new TreeMap<>();
    for (int seed = 0; seed < 100; seed++) {
      try {
        new Sim(seed, Faults.moving(), mutation).run(STEPS);
      } catch (AssertionError | RuntimeException broken) {
        seen.merge(String.valueOf(broken.getMessage()).split(" \\(")[0], 1, Integer::sum);
      }
    }
    assertThat(seen.getOrDefault(mutation.rule(), 0))
        .as("runs of 100 in which the checker of " + mutation + " saw it; all: " + seen)
        .isGreaterThan(10);
  }

  private static void run(long seed, Faults faults, Map<CloseReason, Integer> ends) {
    Sim sim = new Sim(seed, faults, Mutation.NONE);
    try {
      sim.run(STEPS);
    } catch (AssertionError | RuntimeException broken) {
      String command = "mvn -q test -Dtest=SimTest -Dwaymark.sim.seed=" + seed;
      throw new AssertionError(
          "FAILED " + broken.getMessage() + "\n  " + command + "\n" + sim, broken);
    }
    for (ConnectionSummary summary : sim.summaries()) {
      ends.merge(summary.reason(), 1, Integer::sum);
    }
  }
}
