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
import org.jspecify.annotations.Nullable;

/**
 * The difference that a new configuration makes to a running bridge. Listeners and pools are the
 * same if their names are. Immutable.
 *
 * @param process changed keys outside listeners and pools
 */
public record ConfigChanges(Elements listeners, Elements pools, Set<String> process) {
  /**
   * The elements of one list, by name.
   *
   * @param changed the changed keys, by name
   */
  public record Elements(Set<String> added, Map<String, Set<String>> changed, Set<String> removed) {
    /** Names of the elements that are new or different. */
    public Set<String> addedOrChanged() {
      Set<String> names = new LinkedHashSet<>(added);
      names.addAll(changed.keySet());
      return names;
    }
  }

  /**
   * Compares two configurations.
   *
   * @throws ConfigException with a line for each key that cannot change without a restart
   */
  public static ConfigChanges between(LoadedConfig now, LoadedConfig next) {
    Problems problems = new Problems();
    if (next.isEmbeddedUpstream() && !now.isEmbeddedUpstream()) {
      problems.addLine(
          new Origin.Default(Optional.empty(), "pools"),
          "pools: no pool is left, and a reload cannot start the embedded echo upstream: keep a pool, or restart");
    }
    Elements listeners = elements("listeners", now, next, problems);
    noteChangedFiles(listeners.changed, now.config(), next.config());
    ConfigChanges changes =
        new ConfigChanges(
            listeners, elements("pools", now, next, problems), process(now, next, problems));
    problems.raise();
    return changes;
  }

  /** Whether nothing has changed. */
  public boolean isEmpty() {
    return lines().isEmpty();
  }

  /** One line per change, for the user: {@code pool game changed: upstreams[0].weight}. */
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
    Map<String, Entry> after = outsideLists(next);
    Set<String> changed = differing(before, after);
    if (now.isEmbeddedUpstream() != next.isEmbeddedUpstream()) {
      // The key exists only together with the embedded upstream.
      changed.remove(ProcessKeys.ECHO.path());
    }
    noteRefusals(before, after, changed, problems);
    return changed;
  }

  private static Map<String, Entry> outsideLists(LoadedConfig config) {
    Map<String, Entry> entries = new LinkedHashMap<>();
    config.entries().stream()
        .filter(entry -> entry.key().indexOf('[') < 0)
        .forEach(entry -> entries.put(entry.key(), entry));
    return entries;
  }

  /** Notes the changed keys that a reload cannot apply, as their declarations say. */
  private static void noteRefusals(
      Map<String, Entry> before, Map<String, Entry> after, Set<String> changed, Problems problems) {
    for (String key : changed) {
      Entry old = before.get(key);
      Entry entry = after.get(key);
      Entry either = entry == null ? old : entry;
      if (either == null) {
        continue;
      }
      String remedy =
          switch (either.declared().onReload()) {
            case AT_ONCE, NEW_CONNECTIONS -> "";
            case NEW_ADDRESS ->
                changed.contains(ListenerKeys.ADDRESS.name())
                    ? ""
                    : "restart, change the address too";
            case RESTART -> "restart";
          };
      if (!remedy.isEmpty()) {
        problems.addLine(either.origin(), refusal(old, entry, remedy));
      }
    }
  }

  /** A key without a default may be missing before or after. */
  private static String refusal(@Nullable Entry old, @Nullable Entry entry, String remedy) {
    String key = old == null ? "" : old.key() + ": ";
    String next =
        entry == null
            ? key + "not set"
            : entry.origin().text() + ": " + entry.key() + ": " + Setting.printable(entry.shown());
    String inForce = old == null ? "none" : Setting.printable(old.shown());
    String undo = old == null ? "remove it" : "put " + inForce + " back";
    return next
        + " (in force: "
        + inForce
        + ", which a reload cannot change); "
        + remedy
        + ", or "
        + undo;
  }

  private static Elements elements(
      String list, LoadedConfig now, LoadedConfig next, Problems problems) {
    Map<String, Map<String, Entry>> before = byName(list, now);
    Map<String, Map<String, Entry>> after = byName(list, next);
    Set<String> added = new LinkedHashSet<>(after.keySet());
    added.removeAll(before.keySet());
    Set<String> removed = new LinkedHashSet<>(before.keySet());
    removed.removeAll(after.keySet());
    Map<String, Set<String>> changed = new LinkedHashMap<>();
    after.forEach((name, entries) -> {
      Map<String, Entry> former = before.getOrDefault(name, entries);
      Set<String> keys = differing(former, entries);
      if (!keys.isEmpty()) {
        changed.put(name, keys);
        noteRefusals(former, entries, keys, problems);
      }
    });
    return new Elements(added, changed, removed);
  }

  /** A file may have other contents under the name that it had. */
  private static void noteChangedFiles(
      Map<String, Set<String>> changed, BridgeConfig now, BridgeConfig next) {
    Map<String, ListenerConfig> before = new LinkedHashMap<>();
    now.listeners().forEach(listener -> before.put(listener.name(), listener));
    for (ListenerConfig listener : next.listeners()) {
      ListenerConfig former = before.getOrDefault(listener.name(), listener);
      for (Key<ListenerConfig, NetworkFile> key : LimitKeys.FILES) {
        if (!former.get(key).equals(listener.get(key))) {
          changed.computeIfAbsent(listener.name(), _ -> new TreeSet<>()).add(key.name());
        }
      }
    }
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
