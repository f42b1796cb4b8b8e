package dev.waymark.tools.directory;

import dev.waymark.registry.Catalog;
import dev.waymark.registry.table.ChangeLog;
import dev.waymark.registry.table.Table;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** The table, as those see it who serve it in other protocols. Confined to the directory's loop. */
final class TableCatalog implements Catalog {
  private final Table table;
  private final Set<Consumer<Set<String>>> subscribers = new LinkedHashSet<>();

  /** The services that there were at the last flush. */
  private final Set<String> told = new HashSet<>();

  private long toldVersion;

  TableCatalog(Table table) {
    this.table = table;
    this.toldVersion = table.log().version();
  }

  @Override
  public Set<String> services() {
    return table.services();
  }

  @Override
  public List<Entry> instances(String service) {
    return table.instances(service);
  }

  @Override
  public Runnable subscribe(Consumer<Set<String>> onChanged) {
    subscribers.add(onChanged);
    return () -> subscribers.remove(onChanged);
  }

  /** Tells the subscribers what has changed since the last call. */
  void flush() {
    ChangeLog log = table.log();
    if (toldVersion == log.version()) {
      return;
    }
    Set<String> changed = new HashSet<>();
    if (!log.reaches(toldVersion)) {
      // What has changed is forgotten, so anything may have.
      changed.addAll(told);
      changed.addAll(table.services());
      toldVersion = log.version();
    }
    while (toldVersion < log.version()) {
      changed.add(log.after(toldVersion++).key().service());
    }
    for (String service : changed) {
      if (table.services().contains(service)) {
        told.add(service);
      } else {
        told.remove(service);
      }
    }
    for (Consumer<Set<String>> subscriber : List.copyOf(subscribers)) {
      subscriber.accept(changed);
    }
  }
}
