package dev.waymark.protocol;

/** Invariants that are always on. Stateless. */
public final class Check {
  private Check() {}

  /**
   * A defect of the program if it does not hold.
   *
   * @throws IllegalStateException with the message
   */
  public static void that(boolean holds, String message) {
    if (!holds) {
      throw new IllegalStateException(message);
    }
  }
}
