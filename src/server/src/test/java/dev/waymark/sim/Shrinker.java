package dev.waymark.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Reduces a failing plan while it keeps failing in the same way: fewer steps, kinds of faults,
 * connections, upstreams and shards. Greedy, and bounded in tries and time: every candidate is a
 * complete run.
 */
final class Shrinker {
  /** The result of one run; {@code failure} is null if it passed. */
  record Outcome(@Nullable Throwable failure, int stepsDone, int connections) {}

  /**
   * The smallest failing plan found.
   *
   * @param tries how many runs it took
   */
  record Result(Plan plan, Throwable failure, int tries) {}

  private final Function<Plan, Outcome> runner;
  private final int triesMax;
  private final long timeNsMax;
  private final LongSupplier clockNs;
  private int tries;
  private long startNs;
  private Plan best;
  private Throwable failure;

  /**
   * @param runner runs a plan and never throws
   */
  Shrinker(
      Function<Plan, Outcome> runner,
      Plan failing,
      Throwable failure,
      int triesMax,
      long timeNsMax,
      LongSupplier clockNs) {
    this.runner = runner;
    this.best = failing;
    this.failure = failure;
    this.triesMax = triesMax;
    this.timeNsMax = timeNsMax;
    this.clockNs = clockNs;
  }

  Result shrink() {
    startNs = clockNs.getAsLong();
    cutToTheFailure();
    boolean isSmaller = true;
    while (isSmaller && !isSpent()) {
      isSmaller = false;
      for (Plan candidate : smaller(best)) {
        if (isStillFailing(candidate)) {
          isSmaller = true;
          break;
        }
      }
    }
    return new Result(best, failure, tries);
  }

  /** What kind of failure this is: its type and message, without the numbers in it. */
  static String kind(Throwable failure) {
    String text = failure.getClass().getSimpleName() + " " + failure.getMessage();
    return text.split("[\\[\\n]", 2)[0].replaceAll("(?<!rule )\\d+", "#").strip();
  }

  /** Cuts the steps and connections that the run never got to. */
  private void cutToTheFailure() {
    Outcome again = run(best);
    if (again.failure() != null) {
      Plan cut = best.withConnectionsMax(Math.min(best.connectionsMax(), again.connections()));
      isStillFailing(cut.withSteps(Math.min(cut.steps(), again.stepsDone())));
    }
  }

  /** Returns the next candidates; within each dimension the largest cut comes first. */
  private static List<Plan> smaller(Plan plan) {
    List<Plan> candidates = new ArrayList<>();
    for (Fault fault : plan.faults().present()) {
      candidates.add(plan.withFaults(plan.faults().without(fault)));
    }
    for (int shards = 1; shards < Math.min(plan.shardsMax(), 4); shards++) {
      candidates.add(plan.withShardsMax(shards));
    }
    for (int upstreams = 1; upstreams < Math.min(plan.upstreamsMax(), 5); upstreams++) {
      candidates.add(plan.withUpstreamsMax(upstreams));
    }
    for (int cut = plan.steps() / 2; cut > 0; cut /= 2) {
      candidates.add(plan.withSteps(plan.steps() - cut));
    }
    for (int cut = plan.connectionsMax() / 2; cut > 0; cut /= 2) {
      candidates.add(plan.withConnectionsMax(plan.connectionsMax() - cut));
    }
    return candidates;
  }

  /** Runs a candidate. If it fails in the same way, it becomes the best plan. */
  private boolean isStillFailing(Plan candidate) {
    if (isSpent() || candidate.equals(best)) {
      return false;
    }
    Throwable other = run(candidate).failure();
    if (other == null || !kind(other).equals(kind(failure))) {
      return false;
    }
    best = candidate;
    failure = other;
    return true;
  }

  private Outcome run(Plan plan) {
    tries++;
    return runner.apply(plan);
  }

  private boolean isSpent() {
    return tries >= triesMax || clockNs.getAsLong() - startNs >= timeNsMax;
  }
}
