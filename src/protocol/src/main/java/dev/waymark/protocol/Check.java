package dev.waymark.protocol;

/** Checks invariants, in production too. Stateless. */
public final class Check {
  private Check() {}

  /**
   * Checks an invariant. A violation is a bug in this program.
   *
   * @throws IllegalStateException with this message, if the invariant does not hold
   */
  public static void that(boolean holds, String message) {
    if (!holds) {
      throw new IllegalStateException(message);
    }
  }
}
