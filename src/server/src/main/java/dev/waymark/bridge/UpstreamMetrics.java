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
 * State and health of every upstream as metrics: one series for each word, 1 for the one that
 * holds. Snapshots of one pool come one after the other; otherwise thread-safe.
 */
final class UpstreamMetrics {
  private static final String STATE = "waymark_upstream_state";
  private static final String HEALTH = "waymark_upstream_health";
  private static final String CHANGED = "waymark_upstream_state_changed_timestamp_seconds";
  private static final List<String> STATES =
      Arrays.stream(UpstreamState.values()).map(UpstreamMetrics::word).toList();

  /** What {@link UpstreamView#health} says. */
  private static final List<String> HEALTHS =
      List.of(
          "unknown", "serving", "not_serving", "service_unknown", "unimplemented", "unreachable");

  private static final double MS_PER_SECOND = 1e3;

  /** What is known of one upstream, and since when. */
  private record Known(UpstreamState state, String health, long sinceUnixMs) {}

  private final Metrics metrics;
  private final Map<String, Map<String, Known>> byPool = new ConcurrentHashMap<>();

  UpstreamMetrics(Metrics metrics) {
    this.metrics = metrics;
  }

  /** The upstreams of a pool are these now. */
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

  /** There is no such pool any more. */
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
          "1 for what the bridge does with the upstream, 0 for what it does not.",
          () -> is(state, known.get(upstream) instanceof Known now ? word(now.state) : ""),
          labels(pool, upstream, "state", state));
    }
    for (String health : HEALTHS) {
      metrics.gauge(
          HEALTH,
          "1 for what the upstream's health service says, 0 for what it does not.",
          () -> is(health, known.get(upstream) instanceof Known now ? now.health : ""),
          labels(pool, upstream, "health", health));
    }
    metrics.gauge(
        CHANGED,
        "When state or health changed last, in seconds since 1970.",
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

  private static long is(String word, String now) {
    return word.equalsIgnoreCase(now) ? 1 : 0;
  }

  private static String word(UpstreamState state) {
    return state.name().toLowerCase(Locale.ROOT);
  }
}
