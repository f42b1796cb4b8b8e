package dev.waymark.tools.directory;

import dev.waymark.registry.Catalog.Entry;
import dev.waymark.registry.Instance;
import dev.waymark.registry.InstanceKey;
import dev.waymark.registry.table.Table;
import dev.waymark.registry.table.Table.NodeView;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** What the admin port shows of a directory. Confined to the directory's loop. */
final class DirectoryViews {
  /** An instance. Times are ages in milliseconds. */
  record InstanceView(
      String service,
      String address,
      int weight,
      int priority,
      Map<String, String> labels,
      String health,
      double utilisation,
      boolean isUsable,
      long dampedForMs,
      List<String> nodes) {}

  /**
   * A node.
   *
   * @param state registered, lost or expired; store: what is in etcd, which has no TTL here
   * @param silentMs since its last heartbeat
   * @param lostForMs since its call broke off, or it expired; 0: it is connected
   */
  record Node(
      String node, String state, int instances, long ttlMs, long silentMs, long lostForMs) {}

  /** A watcher. */
  record Watcher(
      String watcher,
      String peer,
      String as,
      List<String> services,
      long version,
      long behind,
      long forMs) {}

  /** A service. */
  record Service(String service, int instances, int usable) {}

  private final Table table;
  private final Watchers watchers;
  private final long nowNs;

  DirectoryViews(Table table, Watchers watchers, long nowNs) {
    this.table = table;
    this.watchers = watchers;
    this.nowNs = nowNs;
  }

  List<Service> services() {
    List<Service> services = new ArrayList<>();
    for (String name : table.services()) {
      List<Entry> entries = table.instances(name);
      int usable = (int) entries.stream().filter(Entry::isUsable).count();
      services.add(new Service(name, entries.size(), usable));
    }
    return services;
  }

  List<InstanceView> instances(String service) {
    return table.instances(service).stream().map(this::instance).toList();
  }

  private InstanceView instance(Entry entry) {
    Instance instance = entry.instance();
    InstanceKey key = instance.key();
    return new InstanceView(
        instance.service(),
        instance.address(),
        instance.weight(),
        instance.priority(),
        instance.labels(),
        instance.health().name().toLowerCase(Locale.ROOT),
        instance.load().utilisation(),
        entry.isUsable(),
        TimeUnit.NANOSECONDS.toMillis(table.dampedNs(key, nowNs)),
        table.nodesOf(key));
  }

  List<Node> nodes() {
    return table.nodes(nowNs).stream().map(this::node).toList();
  }

  private Node node(NodeView view) {
    boolean isStore = view.ttlNs() == Long.MAX_VALUE;
    String state =
        isStore
            ? "store"
            : view.isExpired() ? "expired" : view.lostNs() == 0 ? "registered" : "lost";
    return new Node(
        view.node(),
        state,
        view.instances(),
        isStore ? 0 : TimeUnit.NANOSECONDS.toMillis(view.ttlNs()),
        ageMs(view.heartbeatNs()),
        view.lostNs() == 0 ? 0 : ageMs(view.lostNs()));
  }

  List<Watcher> watchers() {
    return watchers.views().stream()
        .map(view ->
            new Watcher(
                view.watcher(),
                view.peer(),
                view.as(),
                view.services(),
                view.version(),
                view.behind(),
                ageMs(view.sinceNs())))
        .toList();
  }

  private long ageMs(long atNs) {
    return TimeUnit.NANOSECONDS.toMillis(nowNs - atNs);
  }
}
