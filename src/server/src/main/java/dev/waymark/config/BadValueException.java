package dev.waymark.config;

/**
 * A text that is not of its type. Stackless: it is the user's mistake, told with its place by
 * {@link Settings}.
 */
final class BadValueException extends Exception {
  private static final long serialVersionUID = 1L;

  private final String expected;

  BadValueException(String expected) {
    super(expected, null, false, false);
    this.expected = expected;
  }

  /** What would have been right, to follow the word "expected". */
  String expected() {
    return expected;
  }
}
