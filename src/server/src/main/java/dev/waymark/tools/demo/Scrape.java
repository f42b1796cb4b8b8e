package dev.waymark.tools.demo;

import java.util.List;

/** A snapshot of a bridge's /metrics. Immutable. */
record Scrape(List<String> lines) {
  static final Scrape NONE = new Scrape(List.of());

  Scrape {
    lines = List.copyOf(lines);
  }

  static Scrape of(String text) {
    return new Scrape(text.lines().filter(line -> !line.startsWith("#")).toList());
  }

  /**
   * The sum of the series of this name whose line contains this label text; an empty text matches
   * all.
   */
  long sum(String name, String label) {
    double sum = 0;
    for (String line : lines) {
      boolean isNamed = line.startsWith(name + "{") || line.startsWith(name + " ");
      if (isNamed && line.contains(label)) {
        sum += Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1));
      }
    }
    return (long) sum;
  }

  long sum(String name) {
    return sum(name, "");
  }

  /** How often connections were moved to another upstream. */
  long moves() {
    return sum("waymark_connections_moved_total");
  }

  long replayedBytes() {
    return sum("waymark_replayed_bytes_total");
  }

  /** The number of connections that this upstream owns. */
  long connections(String upstream) {
    return sum("waymark_upstream_connections", "upstream=\"" + upstream + "\"");
  }
}
