package dev.waymark.sim.checkers;

import static dev.waymark.sim.checkers.RuleBrokenError.require;

/**
 * Every deadline of a shard is one that its event loop knows of: the loop sleeps until the time
 * that it was last told, so a deadline that is earlier and not asked for fires late, and one that
 * was asked for and is then denied never fires.
 */
public final class Deadlines {
  private static final String RULE = "deadlines";

  private boolean isRequested;
  private long requestedNs;

  /** The shard asks to be called at this time. */
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
    require(nextDeadlineNs - nowNs > 0, RULE, "it stays due", nextDeadlineNs - nowNs);
  }

  /**
   * All that the shard had to do at once has been done.
   *
   * @param timerNs when its loop will call it
   * @param nextDeadlineNs when it has to be called
   */
  public void check(long timerNs, long nextDeadlineNs) {
    require(
        nextDeadlineNs - timerNs >= 0,
        RULE,
        "one was not asked for, and fires late",
        timerNs - nextDeadlineNs);
    require(
        !isRequested || timerNs - requestedNs <= 0,
        RULE,
        "one was asked for, and never fires in time",
        timerNs - requestedNs);
  }
}
