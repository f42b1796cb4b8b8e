package dev.waymark.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.sim.Shrinker.Outcome;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class ShrinkerTest {
  private static final Plan FAILING =
      Plan.of(5, Faults.any(new Dice(5)).with(Fault.CRASH, 20).with(Fault.HANG, 9), 700);

  private int runs;
  private long nowNs;

  @Test
  void failingRun_isReducedToItsCause() {
    Shrinker.Result small =
        shrink(plan -> {
          boolean isFailing =
              plan.faults().rate(Fault.CRASH) > 0
                  && plan.steps() >= 17
                  && plan.connectionsMax() >= 3
                  && plan.upstreamsMax() >= 2;
          return isFailing ? "rule 1 (order): bytes lost [" + plan.steps() + "]" : null;
        });
    assertThat(small.plan().faults().present()).containsExactly(Fault.CRASH);
    assertThat(small.plan().steps()).isEqualTo(17);
    assertThat(small.plan().connectionsMax()).isEqualTo(3);
    assertThat(small.plan().upstreamsMax()).isEqualTo(2);
    assertThat(small.plan().shardsMax()).isEqualTo(1);
    assertThat(small.failure()).hasMessage("rule 1 (order): bytes lost [17]");
    assertThat(small.tries()).isEqualTo(runs);
  }

  @Test
  void candidate_failingDifferently_isRejected() {
    Shrinker.Result small =
        shrink(plan -> plan.faults().rate(Fault.HANG) > 0 ? "rule 1: hung" : "rule 2: other");
    assertThat(small.plan().faults().present()).containsExactly(Fault.HANG);
    assertThat(small.failure()).hasMessage("rule 1: hung");
  }

  @Test
  void tries_areBounded() {
    assertThat(shrink(plan -> "it always fails").tries()).isLessThanOrEqualTo(100);
    assertThat(runs).isLessThanOrEqualTo(100);
  }

  @Test
  void time_isBounded() {
    shrink(plan -> {
      nowNs += 300;
      return "it always fails";
    });
    assertThat(runs).isLessThanOrEqualTo(5);
  }

  @Test
  void plan_parsesItsOwnText() {
    Plan plan = FAILING.withShardsMax(2).withUpstreamsMax(3).withConnectionsMax(4);
    assertThat(Plan.parse(plan.toString())).isEqualTo(plan);
    Plan quiet = plan.withFaults(Faults.parse(""));
    assertThat(Plan.parse(quiet.toString())).isEqualTo(quiet);
  }

  /** A real run with a defect: the printed plan is smaller, and fails in the same way. */
  @Test
  void simWithADefect_isReportedAsASmallerPlan_thatFailsAgain() {
    Mutation mutation = Mutation.DROP_DATA;
    Plan failing = Plan.of(3, Faults.moving(), 1200);
    Outcome first = Runs.outcome(new Sim(failing, mutation));
    assertThat(first.failure()).isNotNull();
    Shrinker.Result small = Runs.shrink(failing, mutation, first.failure());
    assertThat(small.plan().steps()).isLessThan(400);
    assertThat(small.plan().faults().present().size()).isLessThan(4);
    assertThat(small.plan().connectionsMax()).isLessThan(5);
    Plan repeated = Plan.parse(small.plan().toString());
    Throwable again = Runs.outcome(new Sim(repeated, mutation)).failure();
    assertThat(again).hasMessage(small.failure().getMessage());
    assertThat(Runs.report(failing, mutation, first.failure()))
        .hasMessageContaining("-Dwaymark.sim.plan=" + small.plan());
  }

  private Shrinker.Result shrink(Function<Plan, String> failureOf) {
    Function<Plan, Outcome> runner =
        plan -> {
          runs++;
          String failure = failureOf.apply(plan);
          return new Outcome(
              failure == null ? null : new AssertionError(failure), plan.steps() - 1, 40);
        };
    AssertionError failure = new AssertionError(failureOf.apply(FAILING));
    return new Shrinker(runner, FAILING, failure, 100, 1_000, () -> nowNs).shrink();
  }
}
