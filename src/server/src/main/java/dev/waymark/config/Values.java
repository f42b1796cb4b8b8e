package dev.waymark.config;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The configured values, by path. Filled by {@link FileWalk}, overlaid by {@link Overrides}, then
 * only read. Confined to one load.
 */
final class Values {
  /** A value as written, and where it was set. */
  record Value(String text, Origin origin) {}

  /**
   * A list: where it and its elements start.
   *
   * @param elements the place of each
   */
  record Elements(List<Origin.File> elements, Origin.File origin) {
    int count() {
      return elements.size();
    }
  }

  private final Map<String, Value> values = new LinkedHashMap<>();
  private final Map<String, Elements> lists = new LinkedHashMap<>();
  private final Map<String, Origin.File> places = new HashMap<>();

  void put(String path, String text, Origin origin) {
    values.put(path, new Value(text, origin));
  }

  void putList(String path, List<Origin.File> elements, Origin.File origin) {
    lists.put(path, new Elements(elements, origin));
  }

  /** Notes where a map, a list or one of its elements starts; the path of the file is "". */
  void putPlace(String path, Origin.File at) {
    places.put(path, at);
  }

  /** The innermost part of the file that would contain this path; empty without a file. */
  Optional<Origin.File> near(String path) {
    Origin.File found = places.get(path);
    return found != null || path.isEmpty()
        ? Optional.ofNullable(found)
        : near(path.substring(0, Math.max(0, path.lastIndexOf('.'))));
  }

  Optional<Value> value(String path) {
    return Optional.ofNullable(values.get(path));
  }

  Optional<Elements> list(String path) {
    return Optional.ofNullable(lists.get(path));
  }

  /** All values whose path starts with this, by the rest of their path, in file order. */
  Map<String, Value> under(String prefix) {
    Map<String, Value> found = new LinkedHashMap<>();
    values.forEach((path, value) -> {
      if (path.startsWith(prefix)) {
        found.put(path.substring(prefix.length()), value);
      }
    });
    return found;
  }

  /** Removes all values and lists whose path starts with this. */
  void remove(String prefix) {
    values.keySet().removeIf(path -> path.startsWith(prefix));
    lists.keySet().removeIf(path -> path.startsWith(prefix));
  }
}
