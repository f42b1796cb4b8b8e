package dev.waymark.upstreams;

import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How often a health service may answer on one Watch. Every change of its answer is logged, and is
 * told to all shards, which may move connections. Confined to the control thread.
 */
final class AnswerLimit {
  /** Changes that a Watch may bring within {@link #WINDOW_NS}. */
  static final int CHANGES_MAX = 10;

  /** Answers within the same time; some services repeat theirs. */
  static final int ANSWERS_MAX = 1_000;

  static final long WINDOW_NS = TimeUnit.SECONDS.toNanos(10);

  private @Nullable UpstreamHealth last;
  private int changes;
  private int answers;
  private long sinceNs;

  /**
   * The service answered.
   *
   * @return what is wrong with that, or null
   */
  @Nullable String onAnswer(long nowNs, UpstreamHealth health) {
    if (last == null || nowNs - sinceNs >= WINDOW_NS) {
      sinceNs = nowNs;
      changes = 0;
      answers = 0;
    }
    answers++;
    if (health != last) {
      changes++;
    }
    last = health;
    if (changes > CHANGES_MAX) {
      return tooMany("changes of its health", CHANGES_MAX);
    }
    return answers > ANSWERS_MAX ? tooMany("answers", ANSWERS_MAX) : null;
  }

  private static String tooMany(String what, int max) {
    return "the health service sent more than "
        + max
        + " "
        + what
        + " within "
        + TimeUnit.NANOSECONDS.toSeconds(WINDOW_NS)
        + " s";
  }
}
