package dev.waymark.tools.agent;

import dev.waymark.net.dial.UpstreamProblem;

/**
 * The result of one check. Immutable.
 *
 * @param reason why it did not pass, as one clause; empty if it did
 */
record Verdict(Kind kind, String reason) {
  /** What a check may find. */
  enum Kind {
    PASSED,
    FAILED,
    /** The service itself says that it does not serve: no second check is needed. */
    NOT_SERVING
  }

  static final Verdict PASSED = new Verdict(Kind.PASSED, "");

  Verdict {
    reason = UpstreamProblem.shortened(reason);
  }

  static Verdict failed(String reason) {
    return new Verdict(Kind.FAILED, reason);
  }

  static Verdict notServing(String reason) {
    return new Verdict(Kind.NOT_SERVING, reason);
  }
}
