package dev.waymark.bridge;

import dev.waymark.engine.base.Counter;
import dev.waymark.engine.base.Counter.Scope;
import dev.waymark.engine.base.Counters;
import dev.waymark.engine.base.Histogram;
import dev.waymark.engine.base.ShardCounters;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.ResumeState;
import dev.waymark.telemetry.Metrics;
import dev.waymark.telemetry.Metrics.Durations;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.ToLongFunction;

/**
 * The shards' counters, summed over all shards and exported as metrics from their creation on.
 * Thread-safe.
 */
final class BridgeCounters {
  private static final String UPSTREAM_CONNECTIONS = "waymark_upstream_connections";
  private static final String CLOSED = "waymark_connections_closed_total";
  private static final String MOVED = "waymark_connections_moved_total";
  private static final String PAUSE = "waymark_pause_seconds";
  private static final String DETECTION = "waymark_pause_detection_seconds";
  private static final String MOVE = "waymark_pause_move_seconds";
  private static final String DURATION = "waymark_connection_duration_seconds";
  private static final String ROUND_TRIP = "waymark_lane_round_trip_seconds";
  private static final String LANES_OPEN = "waymark_lanes_open";
  private static final String PUSHES = "waymark_pushes_total";

  private final Metrics metrics;
  private final Executor registrar;
  private final Map<List<String>, List<Counters>> byLabels = new ConcurrentHashMap<>();
  private final List<Map<List<String>, Counters>> byShard = new CopyOnWriteArrayList<>();

  /**
   * @param registrar adds and removes the series of upstreams, in order; there may be tens of
   *     thousands at once, which must not hold up shards
   */
  BridgeCounters(Metrics metrics, Executor registrar) {
    this.metrics = metrics;
    this.registrar = registrar;
  }

  /** Returns counters for one more shard, which is their only writer. */
  ShardCounters forShard() {
    Map<List<String>, Counters> own = new ConcurrentHashMap<>();
    byShard.add(own);
    return new ShardCounters() {
      @Override
      public Counters listener(String listener) {
        return own.computeIfAbsent(
            List.of("listener", listener), labels -> added(Scope.LISTENER, labels));
      }

      @Override
      public Counters upstream(String pool, String upstream) {
        return own.computeIfAbsent(labels(pool, upstream), labels -> added(Scope.UPSTREAM, labels));
      }

      @Override
      public void forgetUpstream(String pool, String upstream) {
        Counters forgotten = own.remove(labels(pool, upstream));
        if (forgotten != null) {
          remove(forgotten, labels(pool, upstream));
        }
      }
    };
  }

  /** Number of connections that an upstream owns now. */
  long connections(String pool, String upstream) {
    List<Counters> shards = byLabels.getOrDefault(labels(pool, upstream), List.of());
    return sum(shards, BridgeCounters::attached);
  }

  /** Removes the series of a listener; call it once its last connection has ended. */
  void forgetListener(String listener) {
    List<String> labels = List.of("listener", listener);
    byShard.forEach(own -> own.remove(labels));
    byLabels.computeIfPresent(
        labels,
        (_, _) -> {
          unregisterListener(labels.toArray(String[]::new));
          return null;
        });
  }

  private static List<String> labels(String pool, String upstream) {
    return List.of("pool", pool, "upstream", upstream);
  }

  private Counters added(Scope scope, List<String> labels) {
    Counters counters = new Counters();
    byLabels.compute(
        labels,
        (_, known) -> {
          List<Counters> shards = known == null ? new CopyOnWriteArrayList<>() : known;
          shards.add(counters);
          if (known == null) {
            String[] pairs = labels.toArray(String[]::new);
            switch (scope) {
              case LISTENER -> register(scope, shards, pairs);
              case UPSTREAM -> registrar.execute(() -> register(scope, shards, pairs));
            }
          }
          return shards;
        });
    return counters;
  }

  /**
   * Removes the upstream's series once the last shard has forgotten it: the addresses that a name
   * resolves to change.
   */
  private void remove(Counters counters, List<String> labels) {
    byLabels.computeIfPresent(
        labels,
        (_, shards) -> {
          shards.remove(counters);
          if (!shards.isEmpty()) {
            return shards;
          }
          String[] pairs = labels.toArray(String[]::new);
          registrar.execute(() -> unregisterUpstream(pairs));
          return null;
        });
  }

  private void unregisterListener(String[] labels) {
    for (Counter counter : Counter.values()) {
      if (counter.scope() == Scope.LISTENER) {
        metrics.remove(counter.metric(), labels);
      }
    }
    for (CloseReason reason : CloseReason.values()) {
      metrics.remove(CLOSED, labels[0], labels[1], "reason", reason.label());
    }
    for (ResumeState.Cause cause : ResumeState.Cause.values()) {
      metrics.remove(MOVED, labels[0], labels[1], "cause", cause.label());
    }
    for (String name : List.of(PAUSE, DETECTION, MOVE, DURATION)) {
      metrics.remove(name, labels);
    }
  }

  private void unregisterUpstream(String[] labels) {
    for (Counter counter : Counter.values()) {
      if (counter.scope() == Scope.UPSTREAM) {
        metrics.remove(counter.metric(), labels);
      }
    }
    metrics.remove(UPSTREAM_CONNECTIONS, labels);
    metrics.remove(LANES_OPEN, labels);
    metrics.remove(ROUND_TRIP, labels);
    for (PushResult.Outcome outcome : PushResult.Outcome.values()) {
      metrics.remove(PUSHES, withOutcome(labels, outcome));
    }
  }

  private void register(Scope scope, List<Counters> shards, String[] labels) {
    for (Counter counter : Counter.values()) {
      if (counter.scope() == scope) {
        metrics.counter(
            counter.metric(), counter.help(), () -> sum(shards, one -> one.total(counter)), labels);
      }
    }
    switch (scope) {
      case LISTENER -> {
        registerReasons(shards, labels);
        metrics.histogram(
            DURATION,
            "Duration of connections that have ended.",
            () -> durations(shards, Counters::connectionDurations),
            labels);
        registerMoves(shards, labels);
      }
      case UPSTREAM -> {
        registerLevels(shards, labels);
        metrics.histogram(
            ROUND_TRIP,
            "Time until Pings were answered.",
            () -> durations(shards, Counters::roundTrips),
            labels);
        registerOutcomes(shards, labels);
      }
    }
  }

  private void registerReasons(List<Counters> shards, String[] labels) {
    for (CloseReason reason : CloseReason.values()) {
      metrics.counter(
          CLOSED,
          "Connections that ended, by reason.",
          () -> sum(shards, one -> one.closed(reason)),
          labels[0],
          labels[1],
          "reason",
          reason.label());
    }
  }

  private void registerMoves(List<Counters> shards, String[] labels) {
    for (ResumeState.Cause cause : ResumeState.Cause.values()) {
      metrics.counter(
          MOVED,
          "Times that a connection left its owner for another, by cause.",
          () -> sum(shards, one -> one.moved(cause)),
          labels[0],
          labels[1],
          "cause",
          cause.label());
    }
    metrics.histogram(
        PAUSE,
        "Time for which connections that moved were not served.",
        () -> durations(shards, Counters::pauses),
        labels);
    metrics.histogram(
        DETECTION,
        "The first part of each pause: until the former owner was given up.",
        () -> durations(shards, Counters::pauseDetections),
        labels);
    metrics.histogram(
        MOVE,
        "The second part of each pause: until the next owner served.",
        () -> durations(shards, Counters::pauseMoves),
        labels);
  }

  private static Durations durations(List<Counters> shards, Function<Counters, Histogram> of) {
    List<Histogram> parts = shards.stream().map(of).toList();
    long[] boundsNs = parts.getFirst().boundsNs();
    long[] counts = new long[boundsNs.length + 1];
    for (Histogram part : parts) {
      long[] more = part.counts();
      Arrays.setAll(counts, bucket -> counts[bucket] + more[bucket]);
    }
    return new Durations(boundsNs, counts, parts.stream().mapToLong(Histogram::sumNs).sum());
  }

  private void registerOutcomes(List<Counters> shards, String[] labels) {
    for (PushResult.Outcome outcome : PushResult.Outcome.values()) {
      metrics.counter(
          PUSHES,
          "Pushes from the upstream, by outcome.",
          () -> sum(shards, one -> one.pushes(outcome)),
          withOutcome(labels, outcome));
    }
  }

  private static String[] withOutcome(String[] labels, PushResult.Outcome outcome) {
    String[] longer = Arrays.copyOf(labels, labels.length + 2);
    longer[labels.length] = "outcome";
    longer[labels.length + 1] = outcome.label();
    return longer;
  }

  private void registerLevels(List<Counters> shards, String[] labels) {
    metrics.gauge(
        UPSTREAM_CONNECTIONS,
        "Connections that the upstream owns.",
        () -> sum(shards, BridgeCounters::attached),
        labels);
    metrics.gauge(LANES_OPEN, "Open lanes.", () -> sum(shards, BridgeCounters::openLanes), labels);
  }

  private static long attached(Counters one) {
    return one.total(Counter.CONNECTIONS_ATTACHED) - one.total(Counter.CONNECTIONS_DETACHED);
  }

  private static long openLanes(Counters one) {
    return one.total(Counter.LANES_OPENED)
        - one.total(Counter.LANES_BROKEN)
        - one.total(Counter.LANES_FINISHED);
  }

  private static long sum(List<Counters> shards, ToLongFunction<Counters> amount) {
    return shards.stream().mapToLong(amount).sum();
  }
}
