package dev.waymark.bridge;

import dev.waymark.api.ConnectionPage;
import dev.waymark.api.ConnectionView;
import dev.waymark.api.Operations;
import dev.waymark.api.PoolStatus;
import dev.waymark.api.Readiness;
import dev.waymark.api.ReloadOutcome;
import dev.waymark.api.UpstreamStatus;
import dev.waymark.engine.connection.ConnectionStatus;
import dev.waymark.engine.lane.LaneStatus;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.engine.pool.PoolSnapshot;
import dev.waymark.net.dial.UpstreamProblem;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;

/** The state of a bridge for display, and the commands that it takes. Thread-safe. */
final class BridgeOperations implements Operations {
  private final Bridge bridge;

  BridgeOperations(Bridge bridge) {
    this.bridge = bridge;
  }

  @Override
  public Readiness health() {
    return bridge.health();
  }

  @Override
  public Readiness readiness() {
    return bridge.readiness();
  }

  @Override
  public ReloadOutcome reload() {
    return bridge.reload().onRequest();
  }

  @Override
  public CompletionStage<ConnectionPage> connections(int limit) {
    CompletableFuture<ConnectionPage> page =
        CompletableFuture.completedFuture(new ConnectionPage(0, List.of()));
    for (BridgeShard shard : bridge.shards()) {
      CompletableFuture<ConnectionPage> own =
          shard.ask(engine ->
              new ConnectionPage(engine.connectionCount(), views(engine.connections(limit))));
      page = page.thenCombine(own, (left, right) -> joined(left, right, limit));
    }
    return page;
  }

  private static ConnectionPage joined(ConnectionPage left, ConnectionPage right, int limit) {
    List<ConnectionView> all = new ArrayList<>(left.connections());
    right.connections().stream().limit(limit - all.size()).forEach(all::add);
    return new ConnectionPage(left.total() + right.total(), all);
  }

  private static List<ConnectionView> views(List<ConnectionStatus> statuses) {
    return statuses.stream().map(BridgeOperations::view).toList();
  }

  private static ConnectionView view(ConnectionStatus status) {
    return new ConnectionView(
        status.mark().toString(),
        status.listener(),
        status.clientAddress(),
        status.localAddress(),
        status.pool(),
        status.upstream(),
        status.phase(),
        status.acceptedUnixMs(),
        status.receivedBytes(),
        status.sentBytes(),
        status.unconsumedBytes(),
        status.queuedBytes());
  }

  @Override
  public List<PoolStatus> pools() {
    return bridge.pools().statuses();
  }

  @Override
  public CompletionStage<List<UpstreamStatus>> upstreams() {
    CompletableFuture<List<LaneStatus>> lanes = CompletableFuture.completedFuture(List.of());
    for (BridgeShard shard : bridge.shards()) {
      lanes =
          lanes.thenCombine(
              shard.lanes(),
              (left, right) -> Stream.concat(left.stream(), right.stream()).toList());
    }
    return lanes.thenApply(this::upstreams);
  }

  private List<UpstreamStatus> upstreams(List<LaneStatus> lanes) {
    List<UpstreamStatus> statuses = new ArrayList<>();
    for (PoolSnapshot snapshot : bridge.pools().snapshots().values()) {
      for (UpstreamView upstream : snapshot.upstreams()) {
        statuses.add(status(snapshot.pool(), upstream, lanes));
      }
    }
    return statuses;
  }

  private UpstreamStatus status(String pool, UpstreamView upstream, List<LaneStatus> lanes) {
    List<LaneStatus> own =
        lanes.stream()
            .filter(lane -> lane.pool().equals(pool) && lane.upstream().equals(upstream.address()))
            .toList();
    Optional<UpstreamProblem> problem = bridge.pools().problem(pool, upstream.address());
    return new UpstreamStatus(
        pool,
        upstream.address(),
        upstream.health(),
        upstream.state().name().toLowerCase(Locale.ROOT),
        upstream.isServing(),
        upstream.weight(),
        upstream.slowStartPercent(),
        upstream.subset().number(),
        bridge.counters().connections(pool, upstream.address()),
        own.size(),
        (int) own.stream().filter(LaneStatus::isOpen).count(),
        upstream.isDraining() || own.stream().anyMatch(LaneStatus::isDraining),
        problem.map(p -> p.kind().label()).orElse(""),
        problem.map(UpstreamProblem::text).orElse(""));
  }

  @Override
  public Map<String, Object> config() {
    Map<String, Object> values = new LinkedHashMap<>();
    bridge
        .inForce()
        .entries()
        .forEach(entry ->
            values.put(
                entry.key(), Map.of("value", entry.shown(), "origin", entry.origin().text())));
    return values;
  }
}
