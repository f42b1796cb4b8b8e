package dev.waymark.sim.checkers;

import java.util.Arrays;

/** Thrown if a rule of docs/protocol.md is violated. The message starts with the rule. */
public final class RuleBrokenError extends AssertionError {
  private static final long serialVersionUID = 1;

  RuleBrokenError(String rule, String what) {
    super(rule + ": " + what);
  }

  static void require(boolean holds, String rule, String what, long... values) {
    if (!holds) {
      throw new RuleBrokenError(rule, what + " " + Arrays.toString(values));
    }
  }
}
