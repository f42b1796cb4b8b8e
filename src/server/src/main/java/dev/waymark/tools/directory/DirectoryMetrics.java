package dev.waymark.tools.directory;

import dev.waymark.registry.table.Table;
import dev.waymark.telemetry.Metrics;
import java.util.function.ToLongFunction;

/** The metrics of a directory. The loop takes its levels, any thread reads them. */
final class DirectoryMetrics {
  /** The levels at one moment. Immutable. */
  private record Levels(
      int instances,
      int services,
      int nodes,
      int lost,
      int damped,
      int watchers,
      int xdsStreams,
      long changes) {
    static final Levels NONE = new Levels(0, 0, 0, 0, 0, 0, 0, 0);
  }

  private final DirectoryCounters counters;
  private volatile Levels levels = Levels.NONE;

  DirectoryMetrics(DirectoryCounters counters) {
    this.counters = counters;
  }

  /** Takes the levels. Called on the loop. */
  void take(Table table, int watchers, int xdsStreams) {
    levels =
        new Levels(
            table.instanceCount(),
            table.services().size(),
            table.nodeCount(),
            table.lostCount(),
            table.dampedCount(),
            watchers,
            xdsStreams,
            table.log().version() - 1);
  }

  void register(Metrics metrics) {
    gauge(
        metrics,
        "waymark_directory_instances",
        "Instances that are registered.",
        Levels::instances);
    gauge(metrics, "waymark_directory_services", "Services with an instance.", Levels::services);
    gauge(metrics, "waymark_directory_nodes", "Nodes that are registered.", Levels::nodes);
    gauge(
        metrics,
        "waymark_directory_nodes_lost",
        "Registered nodes whose call has broken off.",
        Levels::lost);
    gauge(
        metrics,
        "waymark_directory_instances_damped",
        "Instances that come and go too often, and are not to be used for a while.",
        Levels::damped);
    gauge(metrics, "waymark_directory_watchers", "Calls of Watch.", Levels::watchers);
    gauge(metrics, "waymark_directory_xds_streams", "Streams of xDS clients.", Levels::xdsStreams);
    metrics.counter(
        "waymark_directory_xds_refused_total",
        "Responses that an xDS client did not take.",
        counters.xdsRefused::sum);
    metrics.counter(
        "waymark_directory_xds_ended_total",
        "Streams of xDS clients that went beyond a limit.",
        counters.xdsEnded::sum);
    metrics.counter(
        "waymark_directory_changes_total", "Changes of the table.", () -> levels.changes());
    metrics.counter(
        "waymark_directory_requests_total",
        "Requests of nodes, heartbeats included.",
        counters.requests::sum);
    metrics.counter(
        "waymark_directory_instances_refused_total",
        "Instances that were not taken.",
        counters.refused::sum);
    metrics.counter(
        "waymark_directory_calls_denied_total",
        "Calls without a known token or certificate.",
        counters.denied::sum);
    metrics.counter(
        "waymark_directory_nodes_expired_total",
        "Nodes that were not heard of for their TTL.",
        counters.expired::sum);
    metrics.counter(
        "waymark_directory_watch_messages_total",
        "Messages sent to watchers.",
        counters.watchMessages::sum);
    metrics.counter(
        "waymark_directory_watch_bytes_total",
        "Bytes of messages sent to watchers.",
        counters.watchBytes::sum);
  }

  private void gauge(Metrics metrics, String name, String help, ToLongFunction<Levels> level) {
    metrics.gauge(name, help, () -> level.applyAsLong(levels));
  }
}
