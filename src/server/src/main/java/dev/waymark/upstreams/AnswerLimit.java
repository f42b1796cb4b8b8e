package dev.waymark.upstreams;

import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Limits how often a health service may answer on one Watch: every change is logged and published
 * to all shards, which may move connections. Confined to the control thread.
 */
final class AnswerLimit {
  /** Changes of status allowed on a Watch within {@link #WINDOW_NS}. */
  static final int CHANGES_MAX = 10;

  /** Answers allowed within the same time; higher, since some services repeat theirs. */
  static final int ANSWERS_MAX = 1_000;

  static final long WINDOW_NS = TimeUnit.SECONDS.toNanos(10);

  private @Nullable UpstreamHealth last;
  private int changes;
  private int answers;
  private long sinceNs;

  /**
   * Called for every answer of the service.
   *
   * @return the limit that it exceeds, in words, or null
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
      return tooOften("changed its status", CHANGES_MAX);
    }
    return answers > ANSWERS_MAX ? tooOften("answered", ANSWERS_MAX) : null;
  }

  private static String tooOften(String what, int max) {
    return "the health service "
        + what
        + " more than "
        + max
        + " times within "
        + TimeUnit.NANOSECONDS.toSeconds(WINDOW_NS)
        + " s";
  }
}
