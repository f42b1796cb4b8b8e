package dev.waymark.bridge;

import com.codahale.metrics.Counter;
import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.engine.connection.ConnectionSummary;
import dev.waymark.engine.connection.ForcedDetach;
import dev.waymark.engine.shard.ShardEvents;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.listener.ListenerEvents;
import dev.waymark.net.listener.RefusalReason;
import dev.waymark.net.tls.OwnCertificate;
import dev.waymark.net.tls.ServerTls;
import dev.waymark.protocol.Mark;
import dev.waymark.telemetry.Event;
import dev.waymark.telemetry.EventLog;
import dev.waymark.telemetry.Metrics;
import dev.waymark.upstreams.PoolEvents;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Turns events in the bridge into log lines and metrics. Thread-safe. */
final class BridgeEvents
    implements ShardEvents, ListenerEvents, ServerTls.Events, PoolEvents, LoopWatch.Listener {
  /** Receives outlier signals about upstreams. Called on the shards' threads. */
  interface OutlierSignals {
    void onOutlierSignal(String pool, String upstream, OutlierSignal why);
  }

  private static final String DISCOVERY_FAILURES = "waymark_discovery_failures_total";
  private static final String WATCH_FAILURES = "waymark_health_watch_failures_total";

  private static final String TLS_NOT_AFTER = "waymark_tls_certificate_not_after_seconds";
  private static final String TLS_FILES = "waymark_tls_file_changes_total";

  private static final String PROBLEM = "waymark_upstream_problem";
  private static final String EJECTIONS = "waymark_upstream_ejections_total";
  private static final String EJECTED = "waymark_upstream_ejected";

  /** Pool and address of each upstream that is ejected now. */
  private final Set<List<String>> ejected = ConcurrentHashMap.newKeySet();

  /** The names of the certificates in force, by kind and name of their owner. */
  private final Map<List<String>, List<String>> certificateNames = new ConcurrentHashMap<>();

  /** Listeners on which a client was seen to speak TLS that they do not: often all of them do. */
  private final Set<String> passingTls = ConcurrentHashMap.newKeySet();

  private final EventLog log;
  private final Metrics metrics;
  private final OutlierSignals outlierSignals;

  BridgeEvents(EventLog log, Metrics metrics, OutlierSignals outlierSignals) {
    this.log = log;
    this.metrics = metrics;
    this.outlierSignals = outlierSignals;
  }

  /** Registers the series that a pool has from the start. */
  void registerPool(String pool) {
    metrics.counter(
        DISCOVERY_FAILURES,
        "Times that the pool's target, or the name of one of its upstreams, could not be resolved or read.",
        "pool",
        pool);
  }

  void unregisterPool(String pool) {
    metrics.remove(DISCOVERY_FAILURES, "pool", pool);
  }

  // --- shards ---

  @Override
  public void onConnectionOpened(Mark mark, String listener, String clientAddress) {
    if (log.isEnabled(Event.CONNECTION_OPENED)) {
      log.write(
          Event.CONNECTION_OPENED, "mark", mark, "listener", listener, "client", clientAddress);
    }
  }

  @Override
  public void onConnectionAttached(Mark mark, String pool, String upstream, int epoch) {
    if (log.isEnabled(Event.CONNECTION_ATTACHED)) {
      log.write(
          Event.CONNECTION_ATTACHED,
          "mark",
          mark,
          "pool",
          pool,
          "upstream",
          upstream,
          "epoch",
          epoch);
    }
  }

  @Override
  public void onForcedDetach(ForcedDetach taken) {
    log.write(
        Event.CONNECTION_TAKEN,
        "mark",
        taken.mark(),
        "pool",
        taken.pool(),
        "upstream",
        taken.upstream(),
        "reason",
        taken.why().label(),
        "silent-ms",
        taken.silentNs() / 1_000_000,
        "stuck-ms",
        taken.stuckNs() / 1_000_000,
        "unconsumed-bytes",
        taken.unconsumedBytes());
  }

  @Override
  public void onConnectionClosed(ConnectionSummary summary) {
    if (log.isEnabled(Event.CONNECTION_CLOSED)) {
      log.write(
          Event.CONNECTION_CLOSED,
          "mark",
          summary.mark(),
          "listener",
          summary.listener(),
          "client",
          summary.clientAddress(),
          "upstreams",
          summary.upstreams().isEmpty() ? "none" : String.join(",", summary.upstreams()),
          "received-bytes",
          summary.receivedBytes(),
          "sent-bytes",
          summary.sentBytes(),
          "duration-ms",
          summary.durationNs() / 1_000_000,
          "ended-by",
          summary.endedBy().label(),
          "reason",
          summary.reason().label());
    }
  }

  @Override
  public void onLaneOpen(String pool, String upstream) {
    log.write(Event.LANE_OPEN, "pool", pool, "upstream", upstream);
  }

  @Override
  public void onLaneReplaced(String pool, String upstream) {
    log.write(Event.LANE_REPLACED, "pool", pool, "upstream", upstream);
  }

  @Override
  public void onLaneBroken(String pool, String upstream, String cause, int connections) {
    log.write(
        Event.LANE_BROKEN,
        "pool",
        pool,
        "upstream",
        upstream,
        "cause",
        cause,
        "connections",
        connections);
  }

  @Override
  public void onLaneEnded(String pool, String upstream) {
    log.write(Event.LANE_ENDED, "pool", pool, "upstream", upstream);
  }

  @Override
  public void onLaneRefused(String pool, String upstream, String cause) {
    log.write(Event.LANE_REFUSED, "pool", pool, "upstream", upstream, "cause", cause);
  }

  @Override
  public void onOutlierSignal(String pool, String upstream, OutlierSignal why) {
    outlierSignals.onOutlierSignal(pool, upstream, why);
  }

  @Override
  public void onUpstreamDraining(String pool, String upstream) {
    log.write(Event.UPSTREAM_DRAINING, "pool", pool, "upstream", upstream);
  }

  @Override
  public void onOverBudget(long usedBytes, long budgetBytes) {
    log.write(Event.OVER_BUDGET, "used-bytes", usedBytes, "budget-bytes", budgetBytes);
  }

  @Override
  public void onUnderBudget(long usedBytes, long budgetBytes) {
    log.write(Event.UNDER_BUDGET, "used-bytes", usedBytes, "budget-bytes", budgetBytes);
  }

  @Override
  public void onLoopLate(String loop, long standstillNs) {
    log.write(Event.LOOP_LATE, "loop", loop, "late-ms", standstillNs / 1_000_000);
  }

  // --- listeners ---

  @Override
  public void onAcceptPaused(String listener, String cause) {
    log.write(Event.ACCEPT_PAUSED, "listener", listener, "cause", cause);
  }

  @Override
  public void onAcceptResumed(String listener) {
    log.write(Event.ACCEPT_RESUMED, "listener", listener);
  }

  @Override
  public void onRefused(
      String listener, String clientAddress, RefusalReason reason, String detail) {
    List<Object> line = new ArrayList<>();
    Collections.addAll(
        line, "listener", listener, "client", clientAddress, "reason", reason.label());
    if (!detail.isEmpty()) {
      Collections.addAll(line, "detail", detail);
    }
    log.writeFor(Event.CONNECTION_REFUSED, listener + " " + reason.label(), line.toArray());
  }

  @Override
  public void onTlsPassedOn(String listener, String clientAddress) {
    if (passingTls.add(listener)) {
      log.write(Event.TLS_PASSED_ON, "listener", listener, "client", clientAddress);
    }
  }

  @Override
  public void onFilesLoaded(String listener, List<OwnCertificate> certificates) {
    onTlsFilesLoaded("listener", listener, certificates);
  }

  @Override
  public void onFilesRefused(String listener, String problem) {
    onTlsFilesRefused("listener", listener, problem);
  }

  // --- TLS ---

  void onUpstreamFilesLoaded(String pool, List<OwnCertificate> certificates) {
    onTlsFilesLoaded("pool", pool, certificates);
  }

  void onUpstreamFilesRefused(String pool, String problem) {
    onTlsFilesRefused("pool", pool, problem);
  }

  private void onTlsFilesLoaded(String kind, String name, List<OwnCertificate> certificates) {
    fileChanges(kind, name, "loaded").inc();
    registerTls(kind, name, certificates);
    List<Object> line = new ArrayList<>(List.of(kind, name));
    line.addAll(OwnCertificate.logged(certificates));
    log.write(Event.TLS_FILES_LOADED, line.toArray());
  }

  private void onTlsFilesRefused(String kind, String name, String problem) {
    fileChanges(kind, name, "refused").inc();
    log.write(Event.TLS_FILES_REFUSED, kind, name, "problem", problem);
  }

  /**
   * Registers the series of a listener or pool with TLS. Call again when its certificates have
   * changed.
   *
   * @param kind listener or pool
   */
  void registerTls(String kind, String name, List<OwnCertificate> certificates) {
    fileChanges(kind, name, "loaded");
    fileChanges(kind, name, "refused");
    forgetCertificates(kind, name);
    // Several may have the same name, and the first to expire matters.
    Map<String, Instant> expiries = new LinkedHashMap<>();
    certificates.forEach(
        own -> expiries.merge(own.name(), own.notAfter(), (a, b) -> a.isBefore(b) ? a : b));
    certificateNames.put(List.of(kind, name), List.copyOf(expiries.keySet()));
    expiries.forEach((certificate, notAfter) ->
        metrics.gauge(
            TLS_NOT_AFTER,
            "When the certificate in force expires, Unix seconds.",
            notAfter::getEpochSecond,
            tlsLabels(kind, name, "name", certificate)));
  }

  private void forgetCertificates(String kind, String name) {
    List<String> certificates = certificateNames.remove(List.of(kind, name));
    if (certificates != null) {
      certificates.forEach(
          certificate -> metrics.remove(TLS_NOT_AFTER, tlsLabels(kind, name, "name", certificate)));
    }
  }

  void unregisterTls(String kind, String name) {
    forgetCertificates(kind, name);
    metrics.remove(TLS_FILES, tlsLabels(kind, name, "result", "loaded"));
    metrics.remove(TLS_FILES, tlsLabels(kind, name, "result", "refused"));
  }

  private Counter fileChanges(String kind, String name, String result) {
    return metrics.counter(
        TLS_FILES,
        "Times that files for TLS have changed, and came into force (loaded) or not (refused).",
        tlsLabels(kind, name, "result", result));
  }

  /** All series of a name have the same labels; the one that does not apply is empty. */
  private static String[] tlsLabels(String kind, String name, String label, String value) {
    boolean isListener = kind.equals("listener");
    return new String[] {
      "listener", isListener ? name : "", "pool", isListener ? "" : name, label, value
    };
  }

  // --- pools ---

  @Override
  public void onUpstreamFound(String pool, String upstream) {
    watchFailures(pool, upstream);
    ejections(pool, upstream);
    metrics.gauge(
        EJECTED,
        "1 while the upstream is ejected, else 0.",
        () -> ejected.contains(List.of(pool, upstream)) ? 1 : 0,
        "pool",
        pool,
        "upstream",
        upstream);
    log.write(Event.UPSTREAM_FOUND, "pool", pool, "upstream", upstream);
  }

  @Override
  public void onUpstreamGone(String pool, String upstream) {
    ejected.remove(List.of(pool, upstream));
    for (String name : List.of(WATCH_FAILURES, EJECTIONS, EJECTED)) {
      metrics.remove(name, "pool", pool, "upstream", upstream);
    }
    log.write(Event.UPSTREAM_GONE, "pool", pool, "upstream", upstream);
  }

  @Override
  public void onHealthChanged(String pool, String upstream, String from, String to) {
    log.write(Event.UPSTREAM_HEALTH, "pool", pool, "upstream", upstream, "from", from, "to", to);
  }

  @Override
  public void onUpstreamEjected(String pool, String upstream, OutlierSignal why, long forNs) {
    ejected.add(List.of(pool, upstream));
    ejections(pool, upstream).inc();
    log.write(
        Event.UPSTREAM_EJECTED,
        "pool",
        pool,
        "upstream",
        upstream,
        "reason",
        why.name().toLowerCase(Locale.ROOT),
        "for-ms",
        forNs / 1_000_000);
  }

  @Override
  public void onUpstreamReturned(String pool, String upstream) {
    ejected.remove(List.of(pool, upstream));
    log.write(Event.UPSTREAM_RETURNED, "pool", pool, "upstream", upstream);
  }

  @Override
  public void onUpstreamNotServing(
      String pool, String upstream, UpstreamProblem problem, long forNs) {
    log.write(
        Event.UPSTREAM_NOT_SERVING,
        "pool",
        pool,
        "upstream",
        upstream,
        "cause",
        problem.kind().label(),
        "problem",
        problem.text(),
        "for-ms",
        forNs / 1_000_000);
  }

  @Override
  public void onProblemChanged(
      String pool,
      String upstream,
      UpstreamProblem.@Nullable Kind from,
      UpstreamProblem.@Nullable Kind to) {
    if (from != null) {
      metrics.remove(PROBLEM, "pool", pool, "upstream", upstream, "cause", from.label());
    }
    if (to != null) {
      metrics.gauge(
          PROBLEM,
          "1 while this cause keeps the upstream from serving.",
          () -> 1,
          "pool",
          pool,
          "upstream",
          upstream,
          "cause",
          to.label());
    }
  }

  @Override
  public void onDiscoveryFailing(String pool, String name, UpstreamProblem problem, long forNs) {
    log.write(
        Event.DISCOVERY_FAILED,
        "pool",
        pool,
        "name",
        name,
        "cause",
        problem.kind().label(),
        "problem",
        problem.text(),
        "for-ms",
        forNs / 1_000_000);
  }

  @Override
  public void onNotFound(String pool) {
    metrics
        .counter(
            DISCOVERY_FAILURES,
            "Times that the pool's target, or the name of one of its upstreams, could not be resolved or read.",
            "pool",
            pool)
        .inc();
  }

  @Override
  public void onHealthWatchBroken(String pool, String upstream, String reason) {
    watchFailures(pool, upstream).inc();
    log.write(Event.HEALTH_WATCH_BROKEN, "pool", pool, "upstream", upstream, "reason", reason);
  }

  private Counter ejections(String pool, String upstream) {
    return metrics.counter(
        EJECTIONS, "Times that the upstream was ejected.", "pool", pool, "upstream", upstream);
  }

  /** Registered with 0 as soon as the upstream is found. */
  private Counter watchFailures(String pool, String upstream) {
    return metrics.counter(
        WATCH_FAILURES,
        "Times that a health Watch broke or could not be opened.",
        "pool",
        pool,
        "upstream",
        upstream);
  }
}
