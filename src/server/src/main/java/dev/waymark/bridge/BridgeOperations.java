package dev.waymark.bridge;

import dev.waymark.api.ConnectionPage;
import dev.waymark.api.ConnectionQuery;
import dev.waymark.api.ConnectionView;
import dev.waymark.api.OperationOutcome;
import dev.waymark.api.Operations;
import dev.waymark.api.PoolStatus;
import dev.waymark.api.Readiness;
import dev.waymark.api.ReloadOutcome;
import dev.waymark.api.ServiceExplanation;
import dev.waymark.api.UpstreamStatus;
import dev.waymark.config.BadValueException;
import dev.waymark.config.PoolConfig;
import dev.waymark.config.ServiceAddress;
import dev.waymark.engine.connection.ConnectionStatus;
import dev.waymark.engine.lane.LaneStatus;
import dev.waymark.engine.lane.UpstreamState;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.engine.pool.PoolSnapshot;
import dev.waymark.engine.shard.Shard;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.protocol.Mark;
import dev.waymark.upstreams.OperatorDrain;
import dev.waymark.upstreams.PoolReport;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

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
  public Readiness upstreamReadiness(@Nullable String pool) {
    Set<String> configured =
        bridge.inForce().config().pools().stream()
            .map(PoolConfig::name)
            .collect(Collectors.toSet());
    return bridge.pools().statuses().stream()
        .filter(status ->
            pool == null ? configured.contains(status.pool()) : status.pool().equals(pool))
        .filter(status -> status.serving() == 0)
        .findFirst()
        .map(status -> new Readiness(false, "no upstream serves in the pool " + status.pool()))
        .orElseGet(() -> new Readiness(true, "upstreams serve"));
  }

  @Override
  public ReloadOutcome reload() {
    return bridge.reload().onRequest();
  }

  @Override
  public CompletionStage<OperationOutcome> closeConnection(String mark, boolean isReset) {
    OperationOutcome missing =
        new OperationOutcome.NotFound("no connection with the mark '" + mark + "' is open here");
    return shardOf(mark)
        .<CompletionStage<OperationOutcome>>map(shard ->
            shard
                .closeConnection(Mark.parse(mark), isReset)
                .thenApply(isFound ->
                    isFound
                        ? new OperationOutcome.Done("closed with " + (isReset ? "RST" : "FIN"))
                        : missing))
        .orElseGet(() -> CompletableFuture.completedFuture(missing));
  }

  /** The shard that may have the connection with this mark; empty if the text is no mark. */
  private Optional<BridgeShard> shardOf(String mark) {
    return Mark.isMark(mark) ? bridge.shards().of(Mark.parse(mark)) : Optional.empty();
  }

  @Override
  public CompletionStage<OperationOutcome> drainUpstream(
      String pool, String upstream, boolean isDrained) {
    return bridge
        .pools()
        .drain(pool, upstream, isDrained)
        .<CompletionStage<OperationOutcome>>map(
            drain -> drain.thenApply(result -> outcome(result, pool, upstream, isDrained)))
        .orElseGet(() ->
            CompletableFuture.completedFuture(
                new OperationOutcome.NotFound("no pool " + pool + "; see /upstreams")));
  }

  private static OperationOutcome outcome(
      OperatorDrain result, String pool, String upstream, boolean isDrained) {
    return switch (result) {
      case DONE ->
          new OperationOutcome.Done(
              isDrained
                  ? "its connections move to others, if any serve"
                  : "it gets connections again, if it serves");
      case UNKNOWN ->
          new OperationOutcome.NotFound(
              isDrained
                  ? "no upstream " + upstream + " in the pool " + pool + "; see /upstreams"
                  : "no operator drains " + upstream + " in the pool " + pool);
      case LEADER ->
          new OperationOutcome.Impossible(
              "the upstreams of the pool "
                  + pool
                  + " choose their leader themselves (follow: leader); have them choose another");
      case TOO_MANY ->
          new OperationOutcome.Impossible(
              "too many upstreams of the pool " + pool + " are drained; undrain others first");
    };
  }

  @Override
  public OperationOutcome drain(boolean isDrained) {
    return bridge
        .reload()
        .drain(isDrained)
        .<OperationOutcome>map(OperationOutcome.Impossible::new)
        .orElseGet(() ->
            new OperationOutcome.Done(
                isDrained
                    ? "no clients are accepted; " + bridge.shards().connectionCount() + " are left"
                    : "clients are accepted"));
  }

  @Override
  public CompletionStage<ConnectionPage> connections(ConnectionQuery query) {
    if (query.mark() != null) {
      return withMark(query, query.mark());
    }
    int limit = query.limit();
    CompletableFuture<ConnectionPage> page =
        CompletableFuture.completedFuture(new ConnectionPage(0, List.of()));
    for (BridgeShard shard : bridge.shards().all()) {
      CompletableFuture<ConnectionPage> own =
          shard.ask(engine -> query.isForAll() ? all(engine, limit) : matching(engine, query));
      page = page.thenCombine(own, (left, right) -> joined(left, right, limit));
    }
    return page;
  }

  private CompletionStage<ConnectionPage> withMark(ConnectionQuery query, String mark) {
    return shardOf(mark)
        .map(shard ->
            shard
                .ask(engine -> engine.connectionStatus(Mark.parse(mark)))
                .thenApply(found -> page(found.filter(new ConnectionFilter(query)), query.limit())))
        .orElseGet(() -> CompletableFuture.completedFuture(page(Optional.empty(), 0)));
  }

  private static ConnectionPage page(Optional<ConnectionStatus> found, int limit) {
    List<ConnectionStatus> one = found.stream().limit(limit).toList();
    return new ConnectionPage(found.isPresent() ? 1 : 0, views(one));
  }

  private static ConnectionPage all(Shard engine, int limit) {
    return new ConnectionPage(engine.connectionCount(), views(engine.connections(limit)));
  }

  private static ConnectionPage matching(Shard engine, ConnectionQuery query) {
    List<ConnectionStatus> some = new ArrayList<>();
    long total = engine.find(new ConnectionFilter(query), query.limit(), some::add);
    return new ConnectionPage(total, views(some));
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
    return bridge.shards().lanes().thenApply(this::upstreams);
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
    boolean hasAnnounced = LaneAnnouncements.isDraining(own);
    UpstreamState state = LaneAnnouncements.shown(upstream.state(), hasAnnounced);
    boolean isDraining =
        state == UpstreamState.DRAINING || own.stream().anyMatch(LaneStatus::isDraining);
    return new UpstreamStatus(
        pool,
        upstream.address(),
        upstream.health(),
        state.name().toLowerCase(Locale.ROOT),
        state == UpstreamState.SERVING,
        upstream.weight(),
        upstream.slowStartPercent(),
        upstream.priority(),
        upstream.subset().number(),
        upstream.labels(),
        bridge.counters().connections(pool, upstream.address()),
        own.size(),
        (int) own.stream().filter(LaneStatus::isOpen).count(),
        isDraining,
        isDraining ? drainedBy(pool, upstream, hasAnnounced) : "",
        problem.map(p -> p.kind().label()).orElse(""),
        problem.map(UpstreamProblem::text).orElse(""));
  }

  @Override
  public CompletionStage<ServiceExplanation> explain(String service, @Nullable String address) {
    Predicate<String> isAsked = asked(address);
    return bridge
        .shards()
        .lanes()
        .thenCombineAsync(
            bridge.pools().reports(service),
            (lanes, reports) ->
                new ServiceExplanation(
                    service,
                    reports.stream()
                        .map(report -> explainer(report, lanes).explain(isAsked))
                        .toList()),
            // Not on the loop that answers last.
            Thread::startVirtualThread);
  }

  private PoolExplainer explainer(PoolReport report, List<LaneStatus> lanes) {
    String pool = report.config().name();
    List<LaneStatus> own = lanes.stream().filter(lane -> lane.pool().equals(pool)).toList();
    return new PoolExplainer(report, own, (upstream, itsLanes) -> status(pool, upstream, itsLanes));
  }

  private static Predicate<String> asked(@Nullable String address) {
    if (address == null) {
      return _ -> true;
    }
    String wanted = canonical(address);
    return each -> canonical(each).equals(wanted);
  }

  /** The one text for all spellings of an address; the text itself if it is none. */
  private static String canonical(String address) {
    try {
      return ServiceAddress.read(address);
    } catch (BadValueException none) {
      return address;
    }
  }

  private String drainedBy(String pool, UpstreamView upstream, boolean hasAnnounced) {
    if (bridge.pools().isDrained(pool, upstream.address())) {
      return "operator";
    }
    boolean isWithoutShare = upstream.isDraining() && upstream.subset().sharePercent() == 0;
    return isWithoutShare && !hasAnnounced ? "configuration" : "upstream";
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
