package dev.waymark.bridge;

import dev.waymark.config.ListenerConfig;
import dev.waymark.config.ListenerKeys;
import dev.waymark.engine.base.Histogram;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.engine.pool.PoolSnapshot;
import dev.waymark.engine.shard.MemoryBudget;
import dev.waymark.net.admission.Admission;
import dev.waymark.net.listener.ListenerCounters;
import dev.waymark.net.listener.RefusalReason;
import dev.waymark.telemetry.Metrics;
import dev.waymark.telemetry.Metrics.Durations;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/** The bridge's gauges and limits as metrics. Stateless. */
final class BridgeMetrics {
  private static final String OPEN = "waymark_connections_open";
  private static final String MAX = "waymark_connections_max";
  private static final String HANDSHAKES = "waymark_tls_handshakes_open";
  private static final String TLS_PASSED_ON = "waymark_tls_passed_on_total";
  private static final String HANDSHAKES_COMPLETE = "waymark_tls_handshakes_total";
  private static final String PROXY_CHECKS = "waymark_proxy_checks_total";
  private static final String REFUSED = "waymark_connections_refused_total";
  private static final String PAUSES = "waymark_accept_pauses_total";
  private static final String SOURCES = "waymark_sources_remembered";
  private static final String FORGOTTEN = "waymark_sources_forgotten_total";
  private static final String UPSTREAMS = "waymark_pool_upstreams";
  private static final String SERVING = "waymark_pool_upstreams_serving";

  private BridgeMetrics() {}

  static void register(Metrics metrics, int shardCount, MemoryBudget budget, MemoryLimits memory) {
    metrics.gauge(
        "waymark_memory_held_bytes",
        "Client and reply bytes that the process holds, plus 192 for each buffer.",
        budget::usedBytes);
    metrics.gauge("waymark_memory_budget_bytes", "The limit memory-budget.", budget::budgetBytes);
    metrics.gauge(
        "waymark_jvm_netty_direct_max_bytes",
        "Direct memory that Netty may use at most.",
        () -> memory.directBytes());
    metrics.gauge("waymark_shards", "Event loops that carry connections.", () -> shardCount);
  }

  static void registerLog(Metrics metrics, LongSupplier dropped) {
    metrics.counter(
        "waymark_log_dropped_total",
        "Log lines dropped because standard error did not take them in time.",
        dropped);
  }

  static void registerLoop(Metrics metrics, LoopWatch watch) {
    metrics.histogram(
        "waymark_event_loop_lag_seconds",
        "How late timers of the event loop fired; sampled ten times a second.",
        () -> durations(watch.lag()),
        "loop",
        watch.loop());
    metrics.histogram(
        "waymark_event_loop_standstill_seconds",
        "How long the event loop stood still, beyond 0.1 s; deadlines exclude that time.",
        () -> durations(watch.standstills()),
        "loop",
        watch.loop());
  }

  private static Durations durations(Histogram histogram) {
    return new Durations(histogram.boundsNs(), histogram.counts(), histogram.sumNs());
  }

  static void registerReadiness(Metrics metrics, BooleanSupplier ready, BooleanSupplier draining) {
    metrics.gauge(
        "waymark_ready", "1 while new clients are served.", () -> ready.getAsBoolean() ? 1L : 0L);
    metrics.gauge(
        "waymark_draining",
        "1 from the stop signal on, while connections end, and while an operator drains the bridge.",
        () -> draining.getAsBoolean() ? 1L : 0L);
  }

  /** Registers a listener's series. Call again when its configuration has changed. */
  static void registerListener(
      Metrics metrics, ListenerConfig config, ListenerCounters counters, Admission admission) {
    String listener = config.name();
    metrics.gauge(OPEN, "Connections open now.", counters::open, "listener", listener);
    int connectionsMax = config.get(ListenerKeys.CONNECTIONS_MAX);
    metrics.gauge(MAX, "The limit connections-max.", () -> connectionsMax, "listener", listener);
    for (RefusalReason reason : RefusalReason.values()) {
      metrics.counter(
          REFUSED,
          "Clients closed before they became connections, by reason.",
          () -> counters.refused(reason),
          "listener",
          listener,
          "reason",
          reason.label());
    }
    metrics.gauge(
        HANDSHAKES, "TLS handshakes under way.", counters::handshakes, "listener", listener);
    metrics.counter(
        HANDSHAKES_COMPLETE,
        "TLS handshakes completed.",
        counters::completeHandshakes,
        "listener",
        listener);
    metrics.counter(
        TLS_PASSED_ON,
        "Clients that speak TLS to a listener that does not; the upstream gets their bytes.",
        counters::tlsPassedOn,
        "listener",
        listener);
    metrics.counter(
        PROXY_CHECKS,
        "Health checks of proxies: sockets that ended without a client.",
        counters::proxyChecks,
        "listener",
        listener);
    metrics.gauge(
        SOURCES,
        "Addresses and IPv6 networks of clients whose connections are counted by source.",
        admission::sourceCount,
        "listener",
        listener);
    metrics.counter(
        FORGOTTEN,
        "Sources that were forgotten to make room for others.",
        admission::forgottenCount,
        "listener",
        listener);
    metrics.counter(
        PAUSES,
        "Times that accepting paused for lack of descriptors or memory.",
        counters::acceptPauses,
        "listener",
        listener);
  }

  static void unregisterListener(Metrics metrics, String listener) {
    List<String> names =
        List.of(
            OPEN,
            MAX,
            HANDSHAKES,
            HANDSHAKES_COMPLETE,
            TLS_PASSED_ON,
            PROXY_CHECKS,
            SOURCES,
            FORGOTTEN,
            PAUSES);
    for (String name : names) {
      metrics.remove(name, "listener", listener);
    }
    for (RefusalReason reason : RefusalReason.values()) {
      metrics.remove(REFUSED, "listener", listener, "reason", reason.label());
    }
  }

  static void registerPool(
      Metrics metrics, String pool, Map<String, PoolSnapshot> snapshots, LongSupplier serving) {
    metrics.gauge(
        UPSTREAMS,
        "Upstreams that discovery found.",
        () -> upstreams(snapshots, pool).size(),
        "pool",
        pool);
    metrics.gauge(SERVING, "Upstreams that can take connections.", serving, "pool", pool);
  }

  static void unregisterPool(Metrics metrics, String pool) {
    metrics.remove(UPSTREAMS, "pool", pool);
    metrics.remove(SERVING, "pool", pool);
  }

  private static List<UpstreamView> upstreams(Map<String, PoolSnapshot> snapshots, String pool) {
    PoolSnapshot snapshot = snapshots.get(pool);
    return snapshot == null ? List.of() : snapshot.upstreams();
  }
}
