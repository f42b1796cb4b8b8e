package dev.waymark.config;

import dev.waymark.config.LoadedConfig.Entry;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Sorts entries for display: keys as in the reference, list elements one after the other. Values
 * are read in another order, as they depend on one another. Immutable.
 */
final class EntryOrder {
  /** Position of each name within its map, by path without indices. */
  private final Map<String, Integer> positions = new HashMap<>();

  private final Comparator<Entry> order =
      Comparator.comparing(this::rank, EntryOrder::compareNumbers);

  private EntryOrder(Schema schema) {
    addAll(schema, "");
  }

  static EntryOrder of(Schema schema) {
    return new EntryOrder(schema);
  }

  private void addAll(Schema schema, String prefix) {
    int position = 0;
    for (String name : schema.childrenOf(prefix).keySet()) {
      positions.put(prefix + name, position++);
      addAll(schema, prefix + name + ".");
      addAll(schema, prefix + name + "[].");
    }
  }

  /** Entries of equal rank, such as labels, keep their order. */
  List<Entry> sorted(List<Entry> entries) {
    List<Entry> sorted = new ArrayList<>(entries);
    sorted.sort(order);
    return sorted;
  }

  /** Position and index of each part of the path. */
  private List<Integer> rank(Entry entry) {
    List<Integer> rank = new ArrayList<>();
    String prefix = "";
    String[] declared = entry.declared().path().split("\\.", -1);
    String rest = entry.key();
    for (String part : declared) {
      String name = part.replace("[]", "");
      rank.add(positions.getOrDefault(prefix + name, 0));
      if (part.endsWith("[]")) {
        int end = rest.indexOf(']');
        rank.add(Integer.parseInt(rest.substring(rest.indexOf('[') + 1, end)));
        rest = rest.substring(end + 1);
      }
      prefix += part + ".";
    }
    return rank;
  }

  private static int compareNumbers(List<Integer> a, List<Integer> b) {
    for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
      int order = a.get(i).compareTo(b.get(i));
      if (order != 0) {
        return order;
      }
    }
    return Integer.compare(a.size(), b.size());
  }
}
