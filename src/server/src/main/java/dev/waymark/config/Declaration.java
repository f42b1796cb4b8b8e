package dev.waymark.config;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A key while it is being declared: optional parts first, {@link #meaning} last. Confined to the
 * initialization of the class that declares it.
 */
final class Declaration<C, T> {
  /** A limit that another key of the same scope sets. */
  record Bound<C, T>(Key<C, T> other, boolean isOtherLow, boolean isEqualAllowed) {}

  final KeyGroup<C> group;
  final String path;
  final ValueType<T> type;
  Optional<String> defaultText = Optional.empty();
  @Nullable T absent;
  Optional<String> flag = Optional.empty();
  OnReload onReload = OnReload.RESTART;
  boolean isSecret;
  boolean isRequired;
  boolean isReadByHand;
  Optional<String> onlyWithType = Optional.empty();
  Optional<String> excludes = Optional.empty();
  Optional<Bound<C, T>> bound = Optional.empty();
  String example = "";
  String meaning = "";

  Declaration(KeyGroup<C> group, String path, ValueType<T> type) {
    this.group = group;
    this.path = path;
    this.type = type;
  }

  /** The default, as it would be written. */
  Declaration<C, T> byDefault(String text) {
    defaultText = Optional.of(text);
    return this;
  }

  /** The value if the key is not set, for a default that cannot be written as text. */
  Declaration<C, T> orElse(T value) {
    absent = value;
    return this;
  }

  /** A file that omits the key is refused. */
  Declaration<C, T> required() {
    isRequired = true;
    return this;
  }

  /**
   * The flag of {@code bridge} that overrides the file; the environment variable follows from it.
   */
  Declaration<C, T> flag(String name) {
    flag = Optional.of(name);
    return this;
  }

  /** What a reload does with a change; without this, it refuses the change. */
  Declaration<C, T> onReload(OnReload what) {
    onReload = what;
    return this;
  }

  /** The value is never shown: not by {@code config show}, the admin port, errors or the log. */
  Declaration<C, T> secret() {
    isSecret = true;
    return this;
  }

  /** The value must not be below that of another key of the same scope. */
  Declaration<C, T> atLeast(Key<C, T> low) {
    return boundedBy(low, true, true);
  }

  /** The value must be above that of another key of the same scope. */
  Declaration<C, T> above(Key<C, T> low) {
    return boundedBy(low, true, false);
  }

  /** The value must not be above that of another key of the same scope. */
  Declaration<C, T> atMost(Key<C, T> high) {
    return boundedBy(high, false, true);
  }

  private Declaration<C, T> boundedBy(Key<C, T> other, boolean isOtherLow, boolean isEqualAllowed) {
    if (type.order().isEmpty()) {
      throw new IllegalArgumentException(path + ": values of its type have no order");
    }
    bound = Optional.of(new Bound<>(other, isOtherLow, isEqualAllowed));
    return this;
  }

  /** The key may be set only if {@code type} next to it has this value. */
  Declaration<C, T> onlyWithType(String word) {
    onlyWithType = Optional.of(word);
    return this;
  }

  /**
   * Name of a key or list that must not be set next to this one. For editors; a reader checks it.
   */
  Declaration<C, T> excludes(String name) {
    excludes = Optional.of(name);
    return this;
  }

  /**
   * Not read with the other keys of its scope, because its default or its presence depends on other
   * keys: the reader of its section does it.
   */
  Declaration<C, T> readByHand() {
    isReadByHand = true;
    return this;
  }

  /** The value that the sample file shows if there is no default. */
  Declaration<C, T> example(String text) {
    example = text;
    return this;
  }

  /**
   * Ends the declaration.
   *
   * @param text one or two sentences for the reference, the sample file, {@code --help} and editors
   */
  Key<C, T> meaning(String text) {
    meaning = text;
    if (defaultText.isEmpty() && absent == null && !isReadByHand) {
      throw new IllegalArgumentException(path + ": has no default and is not read by hand");
    }
    Key<C, T> key = new Key<>(this);
    group.add(key);
    return key;
  }
}
