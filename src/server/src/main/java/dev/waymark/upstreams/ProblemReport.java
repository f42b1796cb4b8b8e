package dev.waymark.upstreams;

import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A problem that shows again with every try, and when to tell of it: at once, when it is of another
 * kind, and now and then while it lasts. Confined to the control thread.
 */
final class ProblemReport {
  static final long REPEAT_S = 60;

  private static final long REPEAT_NS = TimeUnit.SECONDS.toNanos(REPEAT_S);

  /** When each kind was told last: some problems show in two ways by turns. */
  private final Map<Kind, Long> toldNs = new EnumMap<>(Kind.class);

  private @Nullable UpstreamProblem current;
  private long sinceNs;

  /**
   * It shows, for the first time or again.
   *
   * @return whether to tell of it now
   */
  boolean on(long nowNs, UpstreamProblem problem) {
    note(nowNs, problem);
    Long last = toldNs.get(problem.kind());
    return tellIf(last == null || nowNs - last >= REPEAT_NS, nowNs, problem);
  }

  /**
   * It shows, and is nothing to tell of unless it lasts.
   *
   * @return whether to tell of it now
   */
  boolean onExpected(long nowNs, UpstreamProblem problem) {
    note(nowNs, problem);
    long last = toldNs.getOrDefault(problem.kind(), sinceNs);
    return tellIf(nowNs - last >= REPEAT_NS, nowNs, problem);
  }

  /** It is over. */
  void clear() {
    current = null;
    toldNs.clear();
  }

  Optional<UpstreamProblem> current() {
    return Optional.ofNullable(current);
  }

  /** Since when there has been any; only while there is one. */
  long sinceNs() {
    return sinceNs;
  }

  private void note(long nowNs, UpstreamProblem problem) {
    if (current == null) {
      sinceNs = nowNs;
    }
    current = problem;
  }

  private boolean tellIf(boolean isDue, long nowNs, UpstreamProblem problem) {
    if (isDue) {
      toldNs.put(problem.kind(), nowNs);
    }
    return isDue;
  }
}
