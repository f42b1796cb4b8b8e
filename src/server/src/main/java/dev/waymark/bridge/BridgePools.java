package dev.waymark.bridge;

import dev.waymark.api.PoolStatus;
import dev.waymark.config.HealthKeys;
import dev.waymark.config.PoolConfig;
import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.engine.pool.PoisonQuarantine;
import dev.waymark.engine.pool.PoolSetup;
import dev.waymark.engine.pool.PoolSnapshot;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.lane.LaneConnector;
import dev.waymark.telemetry.Metrics;
import dev.waymark.upstreams.Balancers;
import dev.waymark.upstreams.ControlLoop;
import dev.waymark.upstreams.NettyHealthChannels;
import dev.waymark.upstreams.PoolBalancer;
import dev.waymark.upstreams.PoolManager;
import java.net.SocketAddress;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/**
 * The control side of a bridge's pools: discovery, health and balancing. Pools are changed by one
 * thread at a time, none of the loops; the rest is thread-safe.
 */
final class BridgePools implements LaneConnector.Attempts {
  private static final long START_CHECK_MS = 50;

  private record Pool(
      PoolConfig config,
      PoolManager manager,
      PoolBalancer balancer,
      PoisonQuarantine quarantine,
      FirstServing started) {
    Pool with(PoolConfig next) {
      return new Pool(next, manager, balancer, quarantine, started);
    }
  }

  /** The pools of one moment. */
  record Known(Map<String, PoolConfig> configs, Set<String> retired) {}

  private final ControlLoop control;
  private final BridgeEvents events;
  private final Metrics metrics;
  private final UpstreamMetrics upstreamMetrics;
  private final Consumer<PoolSnapshot> shards;
  private final RandomGenerator random = new SecureRandom();
  private final Map<String, Pool> pools = new ConcurrentHashMap<>();
  private final Map<String, PoolSnapshot> snapshots = new ConcurrentHashMap<>();
  private final Set<String> retired = ConcurrentHashMap.newKeySet();
  private final List<PoolManager> unstarted = new ArrayList<>();

  /**
   * @param shards told of every snapshot, on the control thread
   */
  BridgePools(
      ControlLoop control, BridgeEvents events, Metrics metrics, Consumer<PoolSnapshot> shards) {
    this.control = control;
    this.events = events;
    this.metrics = metrics;
    this.upstreamMetrics = new UpstreamMetrics(metrics);
    this.shards = shards;
  }

  // --- changes ---

  /** A pool that finds nothing until {@link #start}; or one that was to go, and stays. */
  void add(PoolConfig config) {
    if (retired.remove(config.name())) {
      reconfigure(config);
      return;
    }
    PoolManager manager =
        new PoolManager(
            config, control, new NettyHealthChannels(control), random, this::onSnapshot, events);
    PoolBalancer balancer = Balancers.create(config, random);
    pools.put(
        config.name(),
        new Pool(
            config, manager, balancer, new PoisonQuarantine(Clock::nowNs), new FirstServing()));
    unstarted.add(manager);
    events.registerPool(config.name());
    BridgeMetrics.registerPool(metrics, config.name(), snapshots);
  }

  /** Has the pools that were added find their upstreams, once every shard knows them. */
  void start() {
    while (!unstarted.isEmpty()) {
      unstarted.removeFirst().start();
    }
  }

  /**
   * Returns when each of these pools has had a SERVING upstream, when the time is over, or when the
   * latch is released.
   */
  void awaitServing(Collection<String> names, Wait wait, CountDownLatch stop)
      throws InterruptedException {
    for (String name : names) {
      CountDownLatch serving = pool(name).started.serving();
      long leftNs = wait.leftNs();
      while (leftNs > 0
          && stop.getCount() > 0
          && !serving.await(
              Math.min(leftNs, TimeUnit.MILLISECONDS.toNanos(START_CHECK_MS)),
              TimeUnit.NANOSECONDS)) {
        leftNs = wait.leftNs();
      }
    }
  }

  /**
   * Returns when it is known of all upstreams whether they serve and take lanes, so that the first
   * clients are dealt out over them and the ready line counts them, or when the time is over. Pools
   * where nobody serves are not waited for.
   */
  void awaitProof(Collection<String> names, Wait wait) throws InterruptedException {
    for (String name : names) {
      FirstServing started = pool(name).started;
      if (started.serving().getCount() == 0) {
        var _ = started.proven().await(wait.leftNs(), TimeUnit.NANOSECONDS);
      }
    }
    settle();
  }

  /** Other options of a pool that is there. */
  void reconfigure(PoolConfig next) {
    Pool pool = pool(next.name());
    pools.put(next.name(), pool.with(next));
    pool.balancer.reconfigure(next);
    pool.manager.reconfigure(next);
  }

  /** What there is now, for {@link #restore}. */
  Known known() {
    Map<String, PoolConfig> configs = new HashMap<>();
    pools.forEach((name, pool) -> configs.put(name, pool.config));
    return new Known(Map.copyOf(configs), retired());
  }

  /** As it was: what has been added since is to go, the rest has the options that it had. */
  void restore(Known before) {
    for (Pool pool : pools.values()) {
      String name = pool.config.name();
      PoolConfig config = before.configs.get(name);
      if (config == null || before.retired.contains(name)) {
        retire(name);
      }
      if (config != null && !config.equals(pool.config)) {
        reconfigure(config);
      }
    }
  }

  /**
   * Returns when the control thread has done what was asked of it so far: what followed from it is
   * on its way to the shards, ahead of what they are told from now on.
   */
  void settle() {
    control.eventLoop().submit(() -> {}).awaitUninterruptibly();
  }

  /** No listener names it any more: it goes with the last connection that needs it. */
  void retire(String name) {
    retired.add(name);
  }

  /** Those that are to go. */
  Set<String> retired() {
    return Set.copyOf(retired);
  }

  /** No shard has it any more. Blocks until nothing comes from it either. */
  void forget(String name) {
    retired.remove(name);
    Pool gone = pools.get(name);
    if (gone != null) {
      unstarted.remove(gone.manager);
      gone.manager.close();
      settle();
      pools.remove(name);
    }
    PoolSnapshot last = snapshots.remove(name);
    if (last != null) {
      last.upstreams().forEach(upstream -> events.onUpstreamGone(name, upstream.address()));
    }
    events.unregisterPool(name);
    upstreamMetrics.forgetPool(name);
    BridgeMetrics.unregisterPool(metrics, name);
  }

  /** Ends all discovery and watching. */
  void close() {
    pools.values().forEach(pool -> pool.manager.close());
  }

  // --- for the shards ---

  /** What a shard is to know of these pools. */
  List<PoolSetup> setups(Collection<String> names) {
    return names.stream()
        .map(this::pool)
        .map(pool -> new PoolSetup(pool.config.options(), pool.balancer, pool.quarantine))
        .toList();
  }

  /** Tells the shards once more what is known of a pool; those that know it ignore it. */
  void publishAgain(String name) {
    PoolSnapshot known = snapshots.get(name);
    if (known != null) {
      shards.accept(dialled(pool(name), known));
    }
  }

  /** Where to dial an upstream; empty when it is gone. */
  Optional<SocketAddress> address(String name, String upstream) {
    return pool(name).manager.socketAddress(upstream);
  }

  Duration userTimeout(String name) {
    return pool(name).config.get(HealthKeys.USER_TIMEOUT);
  }

  /** A shard holds something against an upstream. */
  void onOutlierSignal(String name, String upstream, OutlierSignal why) {
    Pool pool = pools.get(name);
    if (pool != null) {
      pool.manager.onOutlierSignal(upstream, why);
    }
  }

  @Override
  public void onTaken(String name, String upstream) {
    Pool pool = pools.get(name);
    if (pool != null) {
      pool.manager.onLaneTaken(upstream);
      pool.started.onLane(upstream);
    }
  }

  @Override
  public void onRefused(String name, String upstream, UpstreamProblem problem) {
    Pool pool = pools.get(name);
    if (pool != null) {
      pool.manager.onLaneRefused(upstream, problem);
      pool.started.onLane(upstream);
    }
  }

  /** Why an upstream does not serve; empty: it does, or nothing is known yet. */
  Optional<UpstreamProblem> problem(String name, String upstream) {
    Pool pool = pools.get(name);
    return pool == null ? Optional.empty() : pool.manager.problem(upstream);
  }

  /** All pools, by name. */
  List<PoolStatus> statuses() {
    return pools.values().stream()
        .map(this::status)
        .sorted(Comparator.comparing(PoolStatus::pool))
        .toList();
  }

  private PoolStatus status(Pool pool) {
    String name = pool.config.name();
    PoolSnapshot snapshot = snapshots.get(name);
    List<UpstreamView> upstreams = snapshot == null ? List.of() : snapshot.upstreams();
    Optional<UpstreamProblem> problem = pool.manager.discoveryProblem();
    return new PoolStatus(
        name,
        upstreams.size(),
        (int) upstreams.stream().filter(UpstreamView::isServing).count(),
        problem.map(p -> p.kind().label()).orElse(""),
        problem.map(UpstreamProblem::text).orElse(""));
  }

  /** What is known of each pool, by name. */
  Map<String, PoolSnapshot> snapshots() {
    return snapshots;
  }

  private void onSnapshot(PoolSnapshot snapshot) {
    Pool pool = pools.get(snapshot.pool());
    if (pool == null) {
      return;
    }
    snapshots.put(snapshot.pool(), snapshot);
    upstreamMetrics.onSnapshot(snapshot, Clock.nowUnixMs());
    PoolSnapshot dialled = dialled(pool, snapshot);
    shards.accept(dialled);
    pool.started.onSnapshot(dialled);
  }

  /** A shard is told of upstreams that can be dialled; the others are looked up still. */
  private static PoolSnapshot dialled(Pool pool, PoolSnapshot snapshot) {
    List<UpstreamView> dialled =
        snapshot.upstreams().stream()
            .filter(upstream -> pool.manager.socketAddress(upstream.address()).isPresent())
            .toList();
    return new PoolSnapshot(snapshot.pool(), snapshot.version(), dialled);
  }

  private Pool pool(String name) {
    Pool pool = pools.get(name);
    if (pool == null) {
      throw new IllegalStateException("no pool " + name);
    }
    return pool;
  }
}
