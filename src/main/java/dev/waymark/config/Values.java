package dev.waymark.config;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What was said, flat: concrete path to text. Filled by {@link FileWalk}, overlaid by {@link
 * Overrides}, then only read. Confined to one load.
 */
final class Values {
  /** A text and where it stands. */
  record Value(String text, Origin origin) {}

  /**
   * A list and where it and its elements stand.
   *
   * @param elements one place each
   */
  record Elements(List<Origin.File> elements, Origin.File origin) {
    int count() {
      return elements.size();
    }
  }

  private final Map<String, Value> values = new LinkedHashMap<>();
  private final Map<String, Elements> lists = new LinkedHashMap<>();

  void put(String path, String text, Origin origin) {
    values.put(path, new Value(text, origin));
  }

  void putList(String path, List<Origin.File> elements, Origin.File origin) {
    lists.put(path, new Elements(elements, origin));
  }

  Optional<Value> value(String path) {
    return Optional.ofNullable(values.get(path));
  }

  Optional<Elements> list(String path) {
    return Optional.ofNullable(lists.get(path));
  }

  /** All values whose path starts so, by the rest of it, in file order. */
  Map<String, Value> under(String prefix) {
    Map<String, Value> found = new LinkedHashMap<>();
    values.forEach((path, value) -> {
      if (path.startsWith(prefix)) {
        found.put(path.substring(prefix.length()), value);
      }
    });
    return found;
  }

  /** Forgets all values and lists whose path starts so. */
  void remove(String prefix) {
    values.keySet().removeIf(path -> path.startsWith(prefix));
    lists.keySet().removeIf(path -> path.startsWith(prefix));
  }
}
