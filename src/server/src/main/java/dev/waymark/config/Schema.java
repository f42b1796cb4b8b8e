package dev.waymark.config;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Every key there is, in the order of the sample, and the shape of the file that follows from them.
 * Immutable.
 */
final class Schema {
  /**
   * What may stand under one name.
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

    /** For the message about something else. */
    String expected() {
      if (isList) {
        return "a list, each element on a line that starts with -";
      }
      return isMap ? (isValue ? "a word or a map of keys" : "a map of keys") : "one value";
    }
  }

  static final List<Key<?>> KEYS =
      Stream.of(ListenerKeys.ALL, PoolKeys.ALL, ProcessKeys.ALL)
          .<Key<?>>flatMap(List::stream)
          .toList();

  private static final Map<String, Map<String, Child>> CHILDREN = children();

  private Schema() {}

  /**
   * What may stand in a map.
   *
   * @param prefix "" for the file, else `listeners[].` and the like
   */
  static Map<String, Child> childrenOf(String prefix) {
    return CHILDREN.getOrDefault(prefix, Map.of());
  }

  /** Names of the environment variables that stand for flags. */
  static Set<String> environmentNames() {
    return KEYS.stream()
        .flatMap(key -> key.flag().stream())
        .map(Key::environmentName)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Map<String, Map<String, Child>> children() {
    Map<String, Map<String, Child>> byPrefix = new LinkedHashMap<>();
    for (Key<?> key : KEYS) {
      String prefix = "";
      String[] segments = key.path().split("\\.");
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
