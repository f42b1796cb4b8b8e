package dev.waymark.api;

/** The result of an operation. Immutable. */
public sealed interface OperationOutcome {
  /**
   * It is done, or has begun.
   *
   * @param result one clause for display
   */
  record Done(String result) implements OperationOutcome {}

  /** What it is about does not exist; nothing has changed. */
  record NotFound(String what) implements OperationOutcome {}

  /** It cannot be done now; nothing has changed. */
  record Impossible(String why) implements OperationOutcome {}
}
