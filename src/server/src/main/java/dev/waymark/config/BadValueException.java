package dev.waymark.config;

/**
 * A text that its type does not accept. Without a stack trace, since it is the user's mistake,
 * which {@link Settings} reports with its place.
 */
public final class BadValueException extends Exception {
  private static final long serialVersionUID = 1L;

  private final String expected;

  /**
   * @param expected what would have been accepted
   */
  public BadValueException(String expected) {
    super(expected, null, false, false);
    this.expected = expected;
  }

  /** What would have been accepted; follows the word "expected". */
  public String expected() {
    return expected;
  }
}
