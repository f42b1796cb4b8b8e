package dev.waymark.upstreams.control;

import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;

/**
 * Since when each of some things has been as it is. Confined to one thread.
 *
 * @param <V> how a thing is, compared by equals
 */
public final class Since<V> {
  private record Entry<V>(V value, long sinceNs) {}

  private Map<String, Entry<V>> entries = Map.of();

  /**
   * Takes note of how all things are now, by name. Those that are not named are forgotten.
   *
   * @param nowNs monotonic
   */
  public void update(Map<String, V> now, long nowNs) {
    Map<String, Entry<V>> next = HashMap.newHashMap(now.size());
    now.forEach((name, value) -> {
      Entry<V> known = entries.get(name);
      boolean isSame = known != null && known.value.equals(value);
      next.put(name, isSame ? known : new Entry<>(value, nowNs));
    });
    entries = next;
  }

  /** Since when this thing has been as it is; empty if it is not known. */
  public OptionalLong of(String name) {
    Entry<V> known = entries.get(name);
    return known == null ? OptionalLong.empty() : OptionalLong.of(known.sinceNs);
  }
}
