package dev.waymark.sim.history;

/** Thrown if the views of the two ends of a connection are inconsistent. */
public final class WrongHistoryError extends AssertionError {
  private static final long serialVersionUID = 1;

  /** The start of every message. */
  public static final String RULE = "end to end";

  WrongHistoryError(long connection, String what) {
    super(RULE + ": " + what + " [connection " + connection + "]");
  }
}
