package dev.waymark.telemetry;

import java.util.Locale;

/** Formats values so that they cannot break out of their line. Stateless. */
final class LineText {
  private LineText() {}

  /** Appends a value: as it is if it is plain, otherwise escaped and in double quotes. */
  static void appendValue(StringBuilder out, String value) {
    if (isPlain(value)) {
      out.append(value);
      return;
    }
    out.append('"');
    appendEscaped(out, value, true);
    out.append('"');
  }

  /** Escapes control and invisible characters, so that no text can forge or hide a line. */
  static void appendEscaped(StringBuilder out, String text, boolean isQuoted) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '"', '\\' -> out.append(isQuoted ? "\\" : "").append(c);
        default -> {
          if (isSafe(text, i)) {
            out.append(c);
          } else {
            out.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
          }
        }
      }
    }
  }

  private static boolean isPlain(String value) {
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\') {
        return false;
      }
    }
    return !value.isEmpty();
  }

  private static boolean isSafe(String text, int i) {
    char c = text.charAt(i);
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      case Character.SURROGATE ->
          Character.isHighSurrogate(c)
              ? i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))
              : i > 0 && Character.isHighSurrogate(text.charAt(i - 1));
      default -> true;
    };
  }
}
