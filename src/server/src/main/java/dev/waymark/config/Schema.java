package dev.waymark.config;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * All keys, in the order of the reference, and the shape of the file that follows from them.
 * Immutable.
 */
final class Schema {
  /**
   * The kinds of value that one name may have.
   *
   * @param isValue a scalar
   * @param isMap further keys
   * @param isList a list of maps with further keys
   */
  record Child(String name, boolean isValue, boolean isMap, boolean isList) {
    Child or(Child other) {
      return new Child(
          name, isValue || other.isValue, isMap || other.isMap, isList || other.isList);
    }

    /** For the message about a value of another kind. */
    String expected() {
      if (isList) {
        return "a list, each element on a line that starts with -";
      }
      return isMap ? (isValue ? "a word or a map of keys" : "a map of keys") : "one value";
    }
  }

  /** The schema of {@code waymark bridge}; add a new group of keys here. */
  static final Schema BRIDGE =
      of(
          ListenerKeys.GROUP,
          FramingKeys.GROUP,
          ProxyProtocolKeys.GROUP,
          LimitKeys.GROUP,
          TlsKeys.CERTIFICATES,
          TlsKeys.GROUP,
          ListenerKeys.CONNECTIONS,
          PoolKeys.GROUP,
          UpstreamKeys.IN_POOL.group(),
          PoolKeys.SUBSETS,
          BalancingKeys.GROUP,
          DiscoveryKeys.GROUP,
          RegistryKeys.GROUP,
          UpstreamTlsKeys.GROUP,
          HealthKeys.GROUP,
          OwnershipKeys.GROUP,
          OutlierKeys.GROUP,
          ProcessKeys.ADMIN,
          AdminTlsKeys.GROUP,
          ProcessKeys.ECHO_UPSTREAM,
          ProcessKeys.LOG,
          ProcessKeys.PROCESS,
          LaneKeys.GROUP);

  private final List<Key<?, ?>> keys;
  private final Map<String, Key<?, ?>> byPath = new LinkedHashMap<>();
  private final Map<String, Map<String, Child>> children;

  private Schema(List<Key<?, ?>> keys) {
    this.keys = List.copyOf(keys);
    keys.forEach(key -> {
      if (byPath.put(key.path(), key) != null) {
        throw new IllegalArgumentException(key + " is declared twice");
      }
    });
    this.children = children(keys);
  }

  static Schema of(KeyGroup<?>... groups) {
    return new Schema(
        Stream.of(groups).<Key<?, ?>>flatMap(group -> group.keys().stream()).toList());
  }

  /** A copy with another group at its end. */
  Schema with(KeyGroup<?> group) {
    return new Schema(Stream.<Key<?, ?>>concat(keys.stream(), group.keys().stream()).toList());
  }

  List<Key<?, ?>> keys() {
    return keys;
  }

  /** The keys of one scope. */
  List<Key<?, ?>> keys(Scope<?> scope) {
    return keys.stream().filter(key -> key.scope() == scope).toList();
  }

  /**
   * The entries that a map may have, by name, in the order of the reference.
   *
   * @param prefix "" for the file, else {@code listeners[].} and the like
   */
  Map<String, Child> childrenOf(String prefix) {
    return children.getOrDefault(prefix, Map.of());
  }

  /** The paths of all entries with this name, in the order of the reference. */
  List<String> pathsOf(String name) {
    return children.entrySet().stream()
        .filter(map -> map.getValue().containsKey(name))
        .map(map -> map.getKey() + name)
        .toList();
  }

  /** The key with this path; null if there is none. */
  @Nullable Key<?, ?> key(String path) {
    return byPath.get(path);
  }

  /** Names of the environment variables that stand for flags. */
  Set<String> environmentNames() {
    return keys.stream()
        .flatMap(key -> key.environmentName().stream())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Map<String, Map<String, Child>> children(List<Key<?, ?>> keys) {
    Map<String, Map<String, Child>> byPrefix = new LinkedHashMap<>();
    for (Key<?, ?> key : keys) {
      String prefix = "";
      String[] segments = key.path().split("\\.", -1);
      for (int i = 0; i < segments.length; i++) {
        boolean isList = segments[i].endsWith("[]");
        boolean isLast = i == segments.length - 1;
        String name = segments[i].replace("[]", "");
        byPrefix
            .computeIfAbsent(prefix, p -> new LinkedHashMap<>())
            .merge(name, new Child(name, isLast, !isLast && !isList, isList), Child::or);
        prefix += segments[i] + ".";
      }
    }
    return byPrefix;
  }
}
