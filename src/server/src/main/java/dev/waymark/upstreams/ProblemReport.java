package dev.waymark.upstreams;

import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import dev.waymark.upstreams.PoolReport.Trouble;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Rate-limits reports of a problem that recurs with every attempt: each kind is due when it first
 * occurs, and then every {@value #REPEAT_S} seconds while it lasts. Confined to the control thread.
 */
final class ProblemReport {
  static final long REPEAT_S = 60;

  private static final long REPEAT_NS = TimeUnit.SECONDS.toNanos(REPEAT_S);

  /** When each kind was last reported: some problems alternate between two kinds. */
  private final Map<Kind, Long> reportedNs = new EnumMap<>(Kind.class);

  private @Nullable UpstreamProblem current;
  private long sinceNs;

  /**
   * Called for every occurrence.
   *
   * @return whether to report it now
   */
  boolean on(long nowNs, UpstreamProblem problem) {
    note(nowNs, problem);
    Long last = reportedNs.get(problem.kind());
    return reportIf(last == null || nowNs - last >= REPEAT_NS, nowNs, problem);
  }

  /**
   * Called for every occurrence of an expected problem, which is due only if it lasts.
   *
   * @return whether to report it now
   */
  boolean onExpected(long nowNs, UpstreamProblem problem) {
    note(nowNs, problem);
    long last = reportedNs.getOrDefault(problem.kind(), sinceNs);
    return reportIf(nowNs - last >= REPEAT_NS, nowNs, problem);
  }

  /** Called when the problem is over. */
  void clear() {
    current = null;
    reportedNs.clear();
  }

  Optional<UpstreamProblem> current() {
    return Optional.ofNullable(current);
  }

  /** The current problem and when it began; empty if there is none. */
  Optional<Trouble> trouble() {
    return current().map(problem -> new Trouble(problem, sinceNs));
  }

  /** When the current problem began, of whatever kind; meaningless without one. */
  long sinceNs() {
    return sinceNs;
  }

  private void note(long nowNs, UpstreamProblem problem) {
    if (current == null) {
      sinceNs = nowNs;
    }
    current = problem;
  }

  private boolean reportIf(boolean isDue, long nowNs, UpstreamProblem problem) {
    if (isDue) {
      reportedNs.put(problem.kind(), nowNs);
    }
    return isDue;
  }
}
