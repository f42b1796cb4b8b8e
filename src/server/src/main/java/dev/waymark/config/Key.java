package dev.waymark.config;

import java.util.Locale;
import java.util.Optional;

/**
 * One key of the configuration: all that loading, error messages, `config show`, the sample file
 * and the reference need to know of it. Immutable.
 *
 * @param path where it stands in the file; `[]` stands for each element of a list, `*` for any name
 * @param defaultText as one would write it; without one, `meaning` says what holds
 * @param flag the flag of `bridge` that overrules the file, if there is one
 * @param meaning one sentence
 */
record Key<T>(
    String path,
    ValueType<T> type,
    Optional<String> defaultText,
    Optional<String> flag,
    String meaning) {
  static <T> Key<T> of(String path, ValueType<T> type, String defaultText, String meaning) {
    return new Key<>(path, type, Optional.of(defaultText), Optional.empty(), meaning);
  }

  static <T> Key<T> without(String path, ValueType<T> type, String meaning) {
    return new Key<>(path, type, Optional.empty(), Optional.empty(), meaning);
  }

  Key<T> withFlag(String flagName) {
    return new Key<>(path, type, defaultText, Optional.of(flagName), meaning);
  }

  /** The path with each `[]` filled in order. */
  String at(int... indices) {
    String filled = path;
    for (int index : indices) {
      filled = filled.replaceFirst("\\[\\]", "[" + index + "]");
    }
    return filled;
  }

  /** `WAYMARK_ADMIN` for `--admin`. */
  static String environmentName(String flag) {
    return "WAYMARK_" + flag.substring(2).replace('-', '_').toUpperCase(Locale.ROOT);
  }
}
