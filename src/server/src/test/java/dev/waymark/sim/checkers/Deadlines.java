package dev.waymark.sim.checkers;

import static dev.waymark.sim.checkers.RuleBrokenError.require;

/**
 * Checks that a shard's event loop knows the shard's deadlines. The loop sleeps until the deadline
 * that it was last told: an earlier one that the shard did not request fires late, and one that the
 * shard requested but no longer reports when asked may never fire.
 */
public final class Deadlines {
  private static final String RULE = "deadlines";

  private boolean isRequested;
  private long requestedNs;

  /** The shard requests a call at this time. */
  public void onRequest(long deadlineNs) {
    if (!isRequested || deadlineNs - requestedNs < 0) {
      isRequested = true;
      requestedNs = deadlineNs;
    }
  }

  /** The shard was called. */
  public void onFired(long nowNs, long nextDeadlineNs) {
    if (requestedNs - nowNs <= 0) {
      isRequested = false;
    }
    require(
        nextDeadlineNs - nowNs > 0,
        RULE,
        "a deadline stays due after the call",
        nextDeadlineNs - nowNs);
  }

  /**
   * Called at the end of a turn.
   *
   * @param timerNs when the loop will call the shard
   * @param nextDeadlineNs when the shard has to be called
   */
  public void check(long timerNs, long nextDeadlineNs) {
    require(
        nextDeadlineNs - timerNs >= 0,
        RULE,
        "a deadline was not requested, and will fire late",
        timerNs - nextDeadlineNs);
    require(
        !isRequested || timerNs - requestedNs <= 0,
        RULE,
        "a requested deadline will fire late",
        timerNs - requestedNs);
  }
}
