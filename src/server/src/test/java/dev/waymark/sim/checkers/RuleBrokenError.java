package dev.waymark.sim.checkers;

import java.util.Arrays;

/** A rule of docs/protocol.md does not hold. */
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
