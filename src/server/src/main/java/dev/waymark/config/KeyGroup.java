package dev.waymark.config;

import java.util.ArrayList;
import java.util.List;

/**
 * The keys of one component, in the order of the reference. A class of keys creates a group and
 * declares each key through it, so no key can be declared and then forgotten:
 *
 * <pre>{@code
 * static final KeyGroup<PoolConfig> GROUP = new KeyGroup<>("Health checks", Scope.POOL, "");
 *
 * public static final Key<PoolConfig, Duration> HEALTH_RETRY_MIN =
 *     GROUP
 *         .key("health-retry-min", ValueType.duration("1h"))
 *         .byDefault("100ms")
 *         .onReload(OnReload.AT_ONCE)
 *         .meaning("First delay before …");
 * }</pre>
 *
 * Confined to the initialization of that class; {@link Schema} reads it afterwards.
 */
final class KeyGroup<C> {
  private final String title;
  private final Scope<C> scope;
  private final String prefix;
  private final List<Key<C, ?>> keys = new ArrayList<>();

  /**
   * @param title heading of the group's table in the reference
   * @param prefix start of the keys' paths within their scope, {@code log.}; may be empty
   */
  KeyGroup(String title, Scope<C> scope, String prefix) {
    this.title = title;
    this.scope = scope;
    this.prefix = prefix;
  }

  /** Starts the declaration of a key; {@link Declaration#meaning} ends it. */
  <T> Declaration<C, T> key(String name, ValueType<T> type) {
    return new Declaration<>(this, scope.prefix() + prefix + name, type);
  }

  void add(Key<C, ?> key) {
    keys.add(key);
  }

  String title() {
    return title;
  }

  Scope<C> scope() {
    return scope;
  }

  List<Key<C, ?>> keys() {
    return List.copyOf(keys);
  }
}
