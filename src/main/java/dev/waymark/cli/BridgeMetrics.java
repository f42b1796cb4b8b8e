package dev.waymark.cli;

import dev.waymark.admin.Metrics;
import dev.waymark.config.BridgeConfig;
import dev.waymark.config.PoolConfig;
import dev.waymark.core.MemoryBudget;
import dev.waymark.core.PoolSnapshot;
import dev.waymark.core.UpstreamView;
import dev.waymark.listener.ListenerPort;
import java.util.List;
import java.util.Map;

/** The bridge's levels and limits as metrics. Stateless. */
final class BridgeMetrics {
  private BridgeMetrics() {}

  static void register(
      Metrics metrics,
      BridgeConfig config,
      int shardCount,
      MemoryBudget budget,
      List<ListenerPort> ports,
      Map<String, PoolSnapshot> snapshots) {
    metrics.gauge(
        "waymark_memory_held_bytes",
        "Client and reply bytes that the process holds, and 192 for each piece of them.",
        budget::usedBytes);
    metrics.gauge("waymark_memory_budget_bytes", "The limit memory-budget.", budget::budgetBytes);
    metrics.gauge("waymark_shards", "Event loops that carry connections.", () -> shardCount);
    for (ListenerPort port : ports) {
      registerPort(metrics, port);
    }
    for (PoolConfig pool : config.pools()) {
      registerPool(metrics, pool.name(), snapshots);
    }
  }

  private static void registerPort(Metrics metrics, ListenerPort port) {
    String listener = port.config().name();
    var counters = port.counters();
    metrics.gauge(
        "waymark_connections_open", "Connections open now.", counters::open, "listener", listener);
    metrics.gauge(
        "waymark_connections_max",
        "The limit connections-max.",
        () -> port.config().connectionsMax(),
        "listener",
        listener);
    metrics.counter(
        "waymark_connections_refused_total",
        "Clients closed at once because of connections-max.",
        counters::refused,
        "listener",
        listener);
    metrics.counter(
        "waymark_accept_pauses_total",
        "Times that accepting paused, for want of descriptors or memory.",
        counters::acceptPauses,
        "listener",
        listener);
  }

  private static void registerPool(
      Metrics metrics, String pool, Map<String, PoolSnapshot> snapshots) {
    metrics.gauge(
        "waymark_pool_upstreams",
        "Upstreams that discovery found.",
        () -> upstreams(snapshots, pool).size(),
        "pool",
        pool);
    metrics.gauge(
        "waymark_pool_upstreams_serving",
        "Upstreams to which connections may be given.",
        () -> upstreams(snapshots, pool).stream().filter(UpstreamView::isServing).count(),
        "pool",
        pool);
  }

  private static List<UpstreamView> upstreams(Map<String, PoolSnapshot> snapshots, String pool) {
    PoolSnapshot snapshot = snapshots.get(pool);
    return snapshot == null ? List.of() : snapshot.upstreams();
  }
}
