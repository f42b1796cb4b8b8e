package dev.waymark.tools.egress;

import dev.waymark.telemetry.Metrics;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/** Counts what happens to an egress's connections. Thread-safe. */
final class EgressCounters {
  final AtomicInteger open = new AtomicInteger();
  final LongAdder opened = new LongAdder();
  final LongAdder refused = new LongAdder();
  final LongAdder dialFailures = new LongAdder();
  final LongAdder resets = new LongAdder();
  final LongAdder sentBytes = new LongAdder();
  final LongAdder receivedBytes = new LongAdder();
  final LongAdder probeFailures = new LongAdder();

  void register(Metrics metrics, int connectionsMax) {
    metrics.gauge(
        "waymark_egress_connections",
        "Connections with the server that are open, or being opened.",
        () -> (long) open.get());
    metrics.gauge(
        "waymark_egress_connections_max",
        "How many may be open (--connections-max).",
        () -> (long) connectionsMax);
    metrics.counter(
        "waymark_egress_connections_opened_total",
        "Connections that the server accepted.",
        opened::sum);
    metrics.counter(
        "waymark_egress_connections_refused_total",
        "Connections refused with BUSY because of --connections-max.",
        refused::sum);
    metrics.counter(
        "waymark_egress_dial_failures_total",
        "Connects to the server that failed; the connection was refused with NOT_HERE.",
        dialFailures::sum);
    metrics.counter(
        "waymark_egress_server_resets_total", "Connections that the server reset.", resets::sum);
    metrics.counter(
        "waymark_egress_sent_bytes_total",
        "Bytes that the server's sockets accepted.",
        sentBytes::sum);
    metrics.counter(
        "waymark_egress_received_bytes_total", "Bytes from the server.", receivedBytes::sum);
    metrics.counter(
        "waymark_egress_probe_failures_total",
        "Health probes that did not reach the server.",
        probeFailures::sum);
  }
}
