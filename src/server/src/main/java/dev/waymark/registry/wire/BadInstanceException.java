package dev.waymark.registry.wire;

/** A peer described an instance that cannot exist. The message says what is wrong with it. */
public final class BadInstanceException extends Exception {
  private static final long serialVersionUID = 1L;
  private static final int SHOWN_CHARS_MAX = 64;

  BadInstanceException(String what, Object value, String expected) {
    super(what + ": " + shown(value) + " (expected: " + expected + ")", null, false, false);
  }

  /** The start of a peer's text, without control characters. */
  private static String shown(Object value) {
    String text = String.valueOf(value);
    String start =
        text.length() <= SHOWN_CHARS_MAX ? text : text.substring(0, SHOWN_CHARS_MAX) + "…";
    return start.replaceAll("\\p{C}", "?");
  }
}
