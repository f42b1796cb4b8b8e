package dev.waymark.bridge;

import com.codahale.metrics.Counter;
import dev.waymark.api.ReloadOutcome;
import dev.waymark.telemetry.Metrics;

/** The results of reloads as metrics. Thread-safe. */
final class ReloadMetrics {
  private static final long MS_PER_SECOND = 1_000;

  private final Counter applied;
  private final Counter refused;
  private volatile boolean isLastApplied = true;
  private volatile long appliedUnixS = Clock.nowUnixMs() / MS_PER_SECOND;

  ReloadMetrics(Metrics metrics) {
    applied = counter(metrics, "applied");
    refused = counter(metrics, "refused");
    metrics.gauge(
        "waymark_config_last_reload_success",
        "1 if the last reload was applied, or there was none; 0 if it was refused.",
        () -> isLastApplied ? 1 : 0);
    metrics.gauge(
        "waymark_config_applied_timestamp_seconds",
        "When the configuration in force was read, in seconds since 1970.",
        () -> appliedUnixS);
  }

  private static Counter counter(Metrics metrics, String result) {
    return metrics.counter("waymark_reloads_total", "Reloads, by result.", "result", result);
  }

  void count(ReloadOutcome outcome) {
    switch (outcome) {
      case ReloadOutcome.Applied _ -> {
        isLastApplied = true;
        appliedUnixS = Clock.nowUnixMs() / MS_PER_SECOND;
        applied.inc();
      }
      case ReloadOutcome.Refused _, ReloadOutcome.Failed _ -> {
        isLastApplied = false;
        refused.inc();
      }
      // Says nothing about the file.
      case ReloadOutcome.Impossible _ -> refused.inc();
    }
  }
}
