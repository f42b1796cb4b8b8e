package dev.waymark.config;

import java.util.HashMap;
import java.util.Map;

/**
 * The values of the keys of one scope, of which only those that are not the default are stored.
 * Immutable.
 *
 * @param <C> the settings that they are part of
 */
public final class KeyValues<C> {
  /** Each value has its key's type: {@link #with} and {@link Settings} see to it. */
  private final Map<Key<?, ?>, Object> values;

  private KeyValues(Map<Key<?, ?>, Object> values) {
    this.values = Map.copyOf(values);
  }

  /** Every key has its default value. */
  static <C> KeyValues<C> defaults() {
    return new KeyValues<>(Map.of());
  }

  /**
   * Wraps values.
   *
   * @param values each must have its key's type
   */
  static <C> KeyValues<C> of(Map<Key<?, ?>, Object> values) {
    Map<Key<?, ?>, Object> others = new HashMap<>(values);
    others.entrySet().removeIf(entry -> isDefault(entry.getKey(), entry.getValue()));
    return new KeyValues<>(others);
  }

  private static boolean isDefault(Key<?, ?> key, Object value) {
    return key.defaultValue().filter(value::equals).isPresent();
  }

  /** The value in force. */
  <T> T get(Key<C, T> key) {
    Object value = values.get(key);
    if (value == null) {
      return key.defaultValue().orElseThrow(() -> new IllegalStateException(key + " was not read"));
    }
    @SuppressWarnings("unchecked") // see values
    T typed = (T) value;
    return typed;
  }

  /** A copy with another value. */
  <T> KeyValues<C> with(Key<C, T> key, T value) {
    Map<Key<?, ?>, Object> others = new HashMap<>(values);
    others.put(key, value);
    return of(others);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof KeyValues<?> those && values.equals(those.values);
  }

  @Override
  public int hashCode() {
    return values.hashCode();
  }

  @Override
  public String toString() {
    Map<Key<?, ?>, Object> shown = new HashMap<>(values);
    shown.replaceAll((key, value) -> key.isSecret() ? key.shown("") : value);
    return shown.toString();
  }
}
