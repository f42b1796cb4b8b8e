package dev.waymark.registry.wire;

/** A peer described an instance that cannot exist. The message says what is wrong with it. */
public final class BadInstanceException extends Exception {
  private static final long serialVersionUID = 1L;
  private static final int SHOWN_CHARS_MAX = 64;

  private final String reason;

  BadInstanceException(String what, Object value, String expected) {
    this(what + ": " + shown(value) + " (expected: " + expected + ")");
  }

  private BadInstanceException(String reason) {
    super(reason, null, false, false);
    this.reason = reason;
  }

  /** What is wrong with it: the message. */
  public String reason() {
    return reason;
  }

  /** The start of a peer's text, without control characters. */
  private static String shown(Object value) {
    String text = String.valueOf(value);
    String start =
        text.length() <= SHOWN_CHARS_MAX ? text : text.substring(0, SHOWN_CHARS_MAX) + "…";
    return start.replaceAll("\\p{C}", "?");
  }
}
