package dev.waymark.config;

import java.util.LinkedHashSet;
import java.util.Set;

/** All that is wrong, to be told at once. Confined to one load. */
final class Problems {
  private static final int COUNT_MAX = 50;

  private final Set<String> lines = new LinkedHashSet<>();
  private int droppedCount;

  void add(String line) {
    if (lines.size() < COUNT_MAX) {
      lines.add(line);
    } else if (!lines.contains(line)) {
      droppedCount++;
    }
  }

  boolean isEmpty() {
    return lines.isEmpty();
  }

  /**
   * Ends the load if anything was wrong.
   *
   * @throws ConfigException with one line for each
   */
  void raise() {
    if (!lines.isEmpty()) {
      String rest = droppedCount == 0 ? "" : "\nand " + droppedCount + " more";
      throw new ConfigException(String.join("\n", lines) + rest);
    }
  }
}
