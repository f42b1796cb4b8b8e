package dev.waymark.config;

import java.util.Locale;

/**
 * A value in force, with what a message about it needs. Immutable.
 *
 * @param path with indices, {@code listeners[0].frame-max}
 * @param text as written
 * @param isRefused the text is wrong and a mistake has been noted; the value is a stand-in
 */
record Setting<T>(
    Key<?, T> key, String path, T value, String text, Origin origin, boolean isRefused) {
  boolean isDefault() {
    return origin instanceof Origin.Default;
  }

  String refusal(String expected) {
    return origin.refusal(path, printable(key.shown(text)), expected);
  }

  /** Makes any text fit for one short line: escapes control characters, cuts at 100 characters. */
  static String printable(String text) {
    StringBuilder line = new StringBuilder();
    text.codePoints()
        .limit(100)
        .forEach(c -> {
          if (Character.isISOControl(c) || c == 0x2028 || c == 0x2029) {
            line.append(String.format(Locale.ROOT, "\\u%04x", c));
          } else {
            line.appendCodePoint(c);
          }
        });
    return line.isEmpty()
        ? "\"\""
        : text.codePointCount(0, text.length()) > 100 ? line + "…" : line.toString();
  }

  /** The key's own name, or the whole path if the other key is in another map. */
  String nameBeside(Setting<?> other) {
    return parent().equals(other.parent()) ? path.substring(parent().length()) : path;
  }

  private String parent() {
    return path.substring(0, path.lastIndexOf('.') + 1);
  }
}
