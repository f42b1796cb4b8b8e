package dev.waymark.upstreams.discovery;

import com.google.protobuf.ByteString;
import dev.waymark.config.BadValueException;
import dev.waymark.etcd.NamingValue;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import dev.waymark.registry.Instance;
import dev.waymark.registry.Instance.Health;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The keys that etcd has for one service. Confined to the control thread.
 *
 * <p>Several keys may have one address, for example while a process that has died and its successor
 * are both registered: it is one instance, and healthy if one of them says so. A value that cannot
 * be used takes the place of the former one: what the key stood for before is not what its owner
 * wants any more.
 */
final class EtcdKeys {
  static final int KEYS_MAX = 10_000;

  /** Of all keys and values together. */
  static final int BYTES_MAX = 16 * 1024 * 1024;

  /** What a key has. Immutable. */
  private sealed interface Entry {
    /** Of key and value. */
    int bytes();

    record Usable(Instance instance, int bytes) implements Entry {}

    record Unusable(String why, int bytes) implements Entry {}
  }

  private final String service;

  /** In order, so that of several keys with an address it is always the same that counts. */
  private final Map<ByteString, Entry> entries =
      new TreeMap<>(ByteString.unsignedLexicographicalComparator());

  private long bytes;

  EtcdKeys(String service) {
    this.service = service;
  }

  // --- inputs ---

  void put(ByteString key, ByteString value) {
    remove(key);
    int size = key.size() + value.size();
    entries.put(key, read(value, size));
    bytes += size;
  }

  private Entry read(ByteString value, int size) {
    try {
      return new Entry.Usable(NamingValue.read(service, value), size);
    } catch (BadValueException unusable) {
      return new Entry.Unusable("expected " + unusable.expected(), size);
    }
  }

  void remove(ByteString key) {
    Entry gone = entries.remove(key);
    bytes -= gone == null ? 0 : gone.bytes();
  }

  // --- outputs ---

  /** Whether these are too many to be kept. Ask after {@link #put}. */
  boolean isTooLarge() {
    return entries.size() > KEYS_MAX || bytes > BYTES_MAX;
  }

  boolean isEmpty() {
    return entries.isEmpty();
  }

  /** All instances, each once, by their addresses and in their order. */
  Map<String, Instance> instances() {
    Map<String, Instance> merged = new TreeMap<>();
    for (Entry entry : entries.values()) {
      if (entry instanceof Entry.Usable(Instance instance, int _)) {
        merged.merge(
            instance.address(),
            instance,
            (first, other) ->
                first.health() != Health.HEALTHY && other.health() == Health.HEALTHY
                    ? other
                    : first);
      }
    }
    return merged;
  }

  /** Which value cannot be used; empty if all can. */
  Optional<UpstreamProblem> unusable() {
    List<Map.Entry<ByteString, Entry>> all =
        entries.entrySet().stream()
            .filter(each -> each.getValue() instanceof Entry.Unusable)
            .toList();
    if (all.isEmpty()) {
      return Optional.empty();
    }
    var first = all.getFirst();
    String why = first.getValue() instanceof Entry.Unusable(String text, int _) ? text : "";
    String more = all.size() > 1 ? " (and " + (all.size() - 1) + " more)" : "";
    return Optional.of(
        new UpstreamProblem(Kind.REGISTRY_DATA, first.getKey().toStringUtf8() + ": " + why + more));
  }
}
