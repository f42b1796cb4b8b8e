package dev.waymark.config;

import java.util.LinkedHashMap;
import java.util.Map;

/** Names that may be used once. Confined to one load. */
final class UniqueNames {
  private final Settings settings;
  private final Map<String, Setting<String>> seen = new LinkedHashMap<>();

  UniqueNames(Settings settings) {
    this.settings = settings;
  }

  /** Notes a refusal if the name is taken. */
  void add(Setting<String> name) {
    Setting<String> first = seen.putIfAbsent(name.value(), name);
    if (first != null && !first.isRefused()) {
      settings.refuse(name, "a unique name; " + first.path() + " is the same");
    }
  }
}
