package dev.waymark.bridge;

import dev.waymark.engine.lane.UpstreamState;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.engine.pool.PoolSnapshot;
import dev.waymark.telemetry.Metrics;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * State and health of every upstream as metrics: one series per possible value, 1 for the current
 * one and 0 for the others. Thread-safe, but snapshots of the same pool must not be concurrent.
 */
final class UpstreamMetrics {
  private static final String STATE = "waymark_upstream_state";
  private static final String HEALTH = "waymark_upstream_health";
  private static final String CHANGED = "waymark_upstream_state_changed_timestamp_seconds";
  private static final List<String> STATES =
      Arrays.stream(UpstreamState.values()).map(UpstreamMetrics::label).toList();

  /** The values of {@link UpstreamView#health}, in lower case. */
  private static final List<String> HEALTHS =
      List.of(
          "unknown", "serving", "not_serving", "service_unknown", "unimplemented", "unreachable");

  private static final double MS_PER_SECOND = 1e3;

  /** The current state and health of one upstream, and since when. */
  private record Known(UpstreamState state, String health, long sinceUnixMs) {}

  private final Metrics metrics;
  private final LaneAnnouncements announced;
  private final Map<String, Map<String, Known>> byPool = new ConcurrentHashMap<>();

  UpstreamMetrics(Metrics metrics, LaneAnnouncements announced) {
    this.metrics = metrics;
    this.announced = announced;
  }

  /** Updates the series of a pool to these upstreams. */
  void onSnapshot(PoolSnapshot snapshot, long nowUnixMs) {
    String pool = snapshot.pool();
    Map<String, Known> known = byPool.computeIfAbsent(pool, _ -> new ConcurrentHashMap<>());
    Set<String> gone = new HashSet<>(known.keySet());
    for (UpstreamView upstream : snapshot.upstreams()) {
      gone.remove(upstream.address());
      Known before = known.get(upstream.address());
      if (before == null
          || before.state != upstream.state()
          || !before.health.equals(upstream.health())) {
        known.put(upstream.address(), new Known(upstream.state(), upstream.health(), nowUnixMs));
      }
      if (before == null) {
        register(known, pool, upstream.address());
      }
    }
    gone.forEach(upstream -> forget(known, pool, upstream));
  }

  /** Removes all series of a pool. */
  void forgetPool(String pool) {
    Map<String, Known> known = byPool.remove(pool);
    if (known != null) {
      Set.copyOf(known.keySet()).forEach(upstream -> forget(known, pool, upstream));
    }
  }

  private void register(Map<String, Known> known, String pool, String upstream) {
    for (String state : STATES) {
      metrics.gauge(
          STATE,
          "1 for the state that the upstream has in the bridge, 0 for the others.",
          () ->
              is(
                  state,
                  known.get(upstream) instanceof Known now
                      ? label(announced.shown(pool, upstream, now.state))
                      : ""),
          labels(pool, upstream, "state", state));
    }
    for (String health : HEALTHS) {
      metrics.gauge(
          HEALTH,
          "1 for the status that the upstream's health service reports, 0 for the others.",
          () -> is(health, known.get(upstream) instanceof Known now ? now.health : ""),
          labels(pool, upstream, "health", health));
    }
    metrics.gauge(
        CHANGED,
        "When state or health last changed, in seconds since 1970.",
        () -> known.get(upstream) instanceof Known now ? now.sinceUnixMs / MS_PER_SECOND : 0,
        labels(pool, upstream));
  }

  private void forget(Map<String, Known> known, String pool, String upstream) {
    known.remove(upstream);
    STATES.forEach(state -> metrics.remove(STATE, labels(pool, upstream, "state", state)));
    HEALTHS.forEach(health -> metrics.remove(HEALTH, labels(pool, upstream, "health", health)));
    metrics.remove(CHANGED, labels(pool, upstream));
  }

  private static String[] labels(String pool, String upstream, String... more) {
    String[] labels =
        Arrays.copyOf(new String[] {"pool", pool, "upstream", upstream}, 4 + more.length);
    System.arraycopy(more, 0, labels, 4, more.length);
    return labels;
  }

  private static long is(String label, String current) {
    return label.equalsIgnoreCase(current) ? 1 : 0;
  }

  private static String label(UpstreamState state) {
    return state.name().toLowerCase(Locale.ROOT);
  }
}
