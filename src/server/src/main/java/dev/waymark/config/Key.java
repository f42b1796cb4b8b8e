package dev.waymark.config;

import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One key of the configuration: its declaration, and the typed handle by which a component reads
 * its value. Flags, environment, file, error messages, {@code config show}, the sample file, the
 * reference, the JSON Schema and the reload all follow from the declaration (docs/decisions/0035).
 * Immutable; equality is identity.
 *
 * @param <C> the settings that hold its value
 * @param <T> the type of its value
 */
public final class Key<C, T> {
  private static final String SECRET = "(secret)";

  private final Scope<C> scope;
  private final String title;
  private final String path;
  private final ValueType<T> type;
  private final Optional<String> defaultText;
  private final @Nullable T absent;
  private final Optional<String> flag;
  private final OnReload onReload;
  private final boolean isSecret;
  private final boolean isRequired;
  private final boolean isReadByHand;
  private final Optional<String> onlyWithType;
  private final Optional<String> excludes;
  private final Optional<Declaration.Bound<C, T>> bound;
  private final String example;
  private final String meaning;

  Key(Declaration<C, T> declared) {
    this.scope = declared.group.scope();
    this.title = declared.group.title();
    this.path = declared.path;
    this.type = declared.type;
    this.defaultText = declared.defaultText;
    this.absent = defaultText.map(this::trusted).orElse(declared.absent);
    this.flag = declared.flag;
    this.onReload = declared.onReload;
    this.isSecret = declared.isSecret;
    this.isRequired = declared.isRequired;
    this.isReadByHand = declared.isReadByHand;
    this.onlyWithType = declared.onlyWithType;
    this.excludes = declared.excludes;
    this.bound = declared.bound;
    this.example = declared.example;
    this.meaning = declared.meaning;
  }

  /** Reads a value from the code, which must be valid. */
  T trusted(String text) {
    try {
      return type.reader().read(text);
    } catch (BadValueException defect) {
      throw new IllegalStateException("the default of " + path + " is refused", defect);
    }
  }

  // --- place ---

  Scope<C> scope() {
    return scope;
  }

  /** The title of its group. */
  String title() {
    return title;
  }

  /** The path in the file; {@code []} stands for each element of a list, {@code *} for any name. */
  String path() {
    return path;
  }

  /** The path with each {@code []} filled in order. */
  String at(int... indices) {
    String filled = path;
    for (int index : indices) {
      filled = filled.replaceFirst("\\[\\]", "[" + index + "]");
    }
    return filled;
  }

  /** The last part of the path. */
  String name() {
    return path.substring(path.lastIndexOf('.') + 1);
  }

  /** The flag of {@code bridge} that overrides the file, if there is one. */
  Optional<String> flag() {
    return flag;
  }

  /** The variable that stands for the flag: {@code WAYMARK_ADMIN} for {@code --admin}. */
  Optional<String> environmentName() {
    return flag.map(
        name -> "WAYMARK_" + name.substring(2).replace('-', '_').toUpperCase(Locale.ROOT));
  }

  // --- values ---

  ValueType<T> type() {
    return type;
  }

  /** The default as it would be written; if there is none, {@code meaning} says what applies. */
  Optional<String> defaultText() {
    return defaultText;
  }

  /** The value if the key is not set; empty if that depends on other keys. */
  Optional<T> defaultValue() {
    return Optional.ofNullable(absent);
  }

  boolean isRequired() {
    return isRequired;
  }

  boolean isReadByHand() {
    return isReadByHand;
  }

  boolean isSecret() {
    return isSecret;
  }

  /** The text to show for a value: as written, unless the key is secret. */
  String shown(String text) {
    return isSecret ? SECRET : text;
  }

  /** The value that {@code type} next to it must have; empty: any. */
  Optional<String> onlyWithType() {
    return onlyWithType;
  }

  /** The key or list that must not be set next to it. */
  Optional<String> excludes() {
    return excludes;
  }

  /** The limit that another key sets. */
  Optional<Declaration.Bound<C, T>> bound() {
    return bound;
  }

  OnReload onReload() {
    return onReload;
  }

  // --- documentation ---

  String meaning() {
    return meaning;
  }

  /** The value that the sample file shows if there is no default. */
  String example() {
    return example;
  }

  @Override
  public String toString() {
    return path;
  }
}
