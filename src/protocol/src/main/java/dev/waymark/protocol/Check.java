package dev.waymark.protocol;

/** Invariants that are always checked. Stateless. */
public final class Check {
  private Check() {}

  /**
   * Checks an invariant; a violation is a defect of the program.
   *
   * @throws IllegalStateException with the message, if it does not hold
   */
  public static void that(boolean holds, String message) {
    if (!holds) {
      throw new IllegalStateException(message);
    }
  }
}
