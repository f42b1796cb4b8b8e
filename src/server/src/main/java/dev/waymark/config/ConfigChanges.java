package dev.waymark.config;

import dev.waymark.config.LoadedConfig.Entry;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What another configuration changes in a bridge that runs. Listeners and pools are the same where
 * their names are. Immutable.
 *
 * @param process keys outside listeners and pools, all of which can change
 */
public record ConfigChanges(Elements listeners, Elements pools, Set<String> process) {
  /**
   * The elements of one list, by name.
   *
   * @param changed name to the keys that are not what they were
   */
  public record Elements(Set<String> added, Map<String, Set<String>> changed, Set<String> removed) {
    /** Names of those to be made, or to be made different. */
    public Set<String> addedOrChanged() {
      Set<String> names = new LinkedHashSet<>(added);
      names.addAll(changed.keySet());
      return names;
    }
  }

  /** All else is built into what runs: threads, limits, and what upstreams were told. */
  private static final Set<String> CHANGEABLE =
      Set.of("log.format", "log.level", "log.access", "drain-timeout", "start-timeout");

  /**
   * Compares.
   *
   * @throws ConfigException with a line for each key that cannot change without a restart
   */
  public static ConfigChanges between(LoadedConfig now, LoadedConfig next) {
    Problems problems = new Problems();
    if (next.isEmbeddedUpstream() && !now.isEmbeddedUpstream()) {
      problems.addLine(
          new Origin.Default(Optional.empty(), "pools"),
          "pools: none is named any more; the embedded echo upstream starts with the bridge only: name a pool, or restart");
    }
    var listeners = elements("listeners", now, next);
    noteBacklogs(now, next, listeners, problems);
    Set<String> process = process(now, next, problems);
    problems.raise();
    return new ConfigChanges(listeners, elements("pools", now, next), process);
  }

  /** Nothing has changed. */
  public boolean isEmpty() {
    return lines().isEmpty();
  }

  /** One for each thing that changes, for people: `pool game changed: upstreams[0].weight`. */
  public List<String> lines() {
    List<String> lines = new ArrayList<>();
    add(lines, "listener ", listeners);
    add(lines, "pool ", pools);
    process.forEach(key -> lines.add(key + " changed"));
    return lines;
  }

  private static void add(List<String> lines, String kind, Elements elements) {
    elements.added.forEach(name -> lines.add(kind + name + " added"));
    elements.changed.forEach(
        (name, keys) -> lines.add(kind + name + " changed: " + String.join(", ", keys)));
    elements.removed.forEach(name -> lines.add(kind + name + " removed"));
  }

  private static Set<String> process(LoadedConfig now, LoadedConfig next, Problems problems) {
    Map<String, Entry> before = outsideLists(now);
    Set<String> changed = new LinkedHashSet<>();
    outsideLists(next)
        .forEach((key, entry) -> {
          Entry old = before.get(key);
          if (old != null && !old.value().equals(entry.value())) {
            changed.add(key);
            if (!CHANGEABLE.contains(key)) {
              problems.addLine(entry.origin(), needsRestart(old, entry, "restart"));
            }
          }
        });
    return changed;
  }

  private static Map<String, Entry> outsideLists(LoadedConfig config) {
    Map<String, Entry> entries = new LinkedHashMap<>();
    config.entries().stream()
        .filter(entry -> entry.key().indexOf('[') < 0)
        .forEach(entry -> entries.put(entry.key(), entry));
    return entries;
  }

  private static String needsRestart(Entry old, Entry entry, String remedy) {
    return entry.origin().text()
        + ": "
        + entry.key()
        + ": "
        + Setting.printable(entry.value())
        + " (in force: "
        + Setting.printable(old.value())
        + ", which a reload cannot change); "
        + remedy
        + ", or put "
        + Setting.printable(old.value())
        + " back";
  }

  /** The kernel is told of it when the port is bound. */
  private static void noteBacklogs(
      LoadedConfig now, LoadedConfig next, Elements listeners, Problems problems) {
    Map<String, Map<String, Entry>> before = byName("listeners", now);
    Map<String, Map<String, Entry>> after = byName("listeners", next);
    listeners.changed.forEach((name, keys) -> {
      if (keys.contains("backlog") && !keys.contains("address")) {
        Entry old = before.getOrDefault(name, Map.of()).get("backlog");
        Entry entry = after.getOrDefault(name, Map.of()).get("backlog");
        if (old != null && entry != null) {
          problems.addLine(
              entry.origin(), needsRestart(old, entry, "restart, change the address too"));
        }
      }
    });
  }

  private static Elements elements(String list, LoadedConfig now, LoadedConfig next) {
    Map<String, Map<String, Entry>> before = byName(list, now);
    Map<String, Map<String, Entry>> after = byName(list, next);
    Set<String> added = new LinkedHashSet<>(after.keySet());
    added.removeAll(before.keySet());
    Set<String> removed = new LinkedHashSet<>(before.keySet());
    removed.removeAll(after.keySet());
    Map<String, Set<String>> changed = new LinkedHashMap<>();
    after.forEach((name, entries) -> {
      Set<String> keys = differing(before.getOrDefault(name, entries), entries);
      if (!keys.isEmpty()) {
        changed.put(name, keys);
      }
    });
    return new Elements(added, changed, removed);
  }

  private static Set<String> differing(Map<String, Entry> before, Map<String, Entry> after) {
    Set<String> all = new TreeSet<>(before.keySet());
    all.addAll(after.keySet());
    all.removeIf(key -> {
      Entry old = before.get(key);
      Entry entry = after.get(key);
      return old != null && entry != null && old.value().equals(entry.value());
    });
    return all;
  }

  private static Map<String, Map<String, Entry>> byName(String list, LoadedConfig config) {
    Map<String, Map<String, Entry>> byIndex = new LinkedHashMap<>();
    for (Entry entry : config.entries()) {
      int end = entry.key().indexOf("].");
      if (entry.key().startsWith(list + "[") && end > 0) {
        byIndex
            .computeIfAbsent(entry.key().substring(0, end), _ -> new LinkedHashMap<>())
            .put(entry.key().substring(end + 2), entry);
      }
    }
    Map<String, Map<String, Entry>> byName = new LinkedHashMap<>();
    byIndex
        .values()
        .forEach(entries -> {
          Entry name = entries.get("name");
          if (name != null) {
            byName.put(name.value(), entries);
          }
        });
    return byName;
  }
}
