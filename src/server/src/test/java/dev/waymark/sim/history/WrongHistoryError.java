package dev.waymark.sim.history;

/** What one end saw does not fit what the other end saw. */
public final class WrongHistoryError extends AssertionError {
  private static final long serialVersionUID = 1;

  /** What every message begins with. */
  public static final String RULE = "end to end";

  WrongHistoryError(long connection, String what) {
    super(RULE + ": " + what + " [connection " + connection + "]");
  }
}
