package dev.waymark.config;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Names of which each may be given once. Confined to one load. */
final class UniqueNames {
  private final Settings settings;
  private final Map<String, Setting<String>> seen = new LinkedHashMap<>();

  UniqueNames(Settings settings) {
    this.settings = settings;
  }

  /** The name; a refusal is noted where another has it. */
  String add(Setting<String> name) {
    Setting<String> first = seen.putIfAbsent(name.value(), name);
    if (first != null && !first.isRefused()) {
      settings.refuse(name, "a name of its own; " + first.path() + " is the same");
    }
    return name.value();
  }

  List<String> names() {
    return List.copyOf(seen.keySet());
  }
}
