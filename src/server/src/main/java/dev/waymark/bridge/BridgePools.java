package dev.waymark.bridge;

import dev.waymark.api.PoolStatus;
import dev.waymark.config.ClusterAccess;
import dev.waymark.config.HealthKeys;
import dev.waymark.config.PoolConfig;
import dev.waymark.config.TargetText;
import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.engine.lane.LaneStatus;
import dev.waymark.engine.lane.UpstreamState;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.engine.pool.PoisonQuarantine;
import dev.waymark.engine.pool.PoolSetup;
import dev.waymark.engine.pool.PoolSnapshot;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.lane.LaneConnector;
import dev.waymark.net.tls.OwnCertificate;
import dev.waymark.net.tls.TlsFileException;
import dev.waymark.net.tls.TlsWatch;
import dev.waymark.net.tls.UpstreamTls;
import dev.waymark.telemetry.Metrics;
import dev.waymark.upstreams.Balancers;
import dev.waymark.upstreams.NettyHealthChannels;
import dev.waymark.upstreams.OperatorDrain;
import dev.waymark.upstreams.PoolBalancer;
import dev.waymark.upstreams.PoolManager;
import dev.waymark.upstreams.PoolReport;
import dev.waymark.upstreams.control.ControlLoop;
import java.net.SocketAddress;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The control side of a bridge's pools: discovery, health and balancing. Only one thread at a time
 * may change pools, and not an event loop; everything else is thread-safe.
 */
final class BridgePools
    implements LaneConnector.Attempts, LaneConnector.PoolTls, UpstreamTls.Events {
  private static final long START_CHECK_MS = 50;

  private record Pool(
      PoolConfig config,
      PoolManager manager,
      PoolBalancer balancer,
      PoisonQuarantine quarantine,
      FirstServing started,
      @Nullable UpstreamTls tls) {
    Pool with(PoolConfig next, @Nullable UpstreamTls itsTls) {
      return new Pool(next, manager, balancer, quarantine, started, itsTls);
    }
  }

  /** The pools at one moment, to {@link #restore}. Immutable. */
  static final class Checkpoint {
    private final Map<String, Pool> pools;
    private final Set<String> retired;

    private Checkpoint(Map<String, Pool> pools, Set<String> retired) {
      this.pools = Map.copyOf(pools);
      this.retired = retired;
    }

    Set<String> names() {
      return pools.keySet();
    }
  }

  /** TLS of a new configuration, by pool: of those whose TLS is not in force yet. Immutable. */
  static final class PreparedTls {
    private final Map<String, UpstreamTls> byPool;

    private PreparedTls(Map<String, UpstreamTls> byPool) {
      this.byPool = Map.copyOf(byPool);
    }

    private @Nullable UpstreamTls of(String pool) {
      return byPool.get(pool);
    }
  }

  private final ControlLoop control;
  private final Optional<ClusterAccess> cluster;
  private final BridgeEvents events;
  private final Metrics metrics;
  private final LaneAnnouncements announced = new LaneAnnouncements();
  private final UpstreamMetrics upstreamMetrics;
  private final Consumer<PoolSnapshot> shards;
  private final TlsWatch tlsWatch;
  private final Consumer<String> renewLanes;
  private final RandomGenerator random = new SecureRandom();
  private final Map<String, Pool> pools = new ConcurrentHashMap<>();
  private final Map<String, PoolSnapshot> snapshots = new ConcurrentHashMap<>();
  private final Set<String> retired = ConcurrentHashMap.newKeySet();
  private final List<PoolManager> unstarted = new ArrayList<>();

  /**
   * @param cluster the Kubernetes cluster in which the bridge runs
   * @param shards receives every snapshot, on the control thread
   * @param renewLanes replaces the lanes of a pool whose TLS has changed; called on any thread
   */
  BridgePools(
      ControlLoop control,
      Optional<ClusterAccess> cluster,
      BridgeEvents events,
      Metrics metrics,
      Consumer<PoolSnapshot> shards,
      TlsWatch tlsWatch,
      Consumer<String> renewLanes) {
    this.control = control;
    this.cluster = cluster;
    this.events = events;
    this.metrics = metrics;
    this.upstreamMetrics = new UpstreamMetrics(metrics, announced);
    this.shards = shards;
    this.tlsWatch = tlsWatch;
    this.renewLanes = renewLanes;
  }

  // --- changes ---

  /**
   * Reads the files for the TLS of these pools, where it is new. Must be followed by changes that
   * use it, or by {@link #discard}. Blocks.
   *
   * @throws StartException naming a file that cannot be used; nothing has changed then
   */
  PreparedTls prepareTls(Collection<PoolConfig> configs) {
    Map<String, UpstreamTls> opened = new HashMap<>();
    try {
      for (PoolConfig config : configs) {
        Pool known = pools.get(config.name());
        UpstreamTls inForce = known == null ? null : known.tls;
        if (config.isTls() && (inForce == null || !inForce.isFor(config.tls()))) {
          opened.put(config.name(), open(config));
        }
      }
      return new PreparedTls(opened);
    } catch (RuntimeException failure) {
      opened.values().forEach(UpstreamTls::close);
      throw failure;
    }
  }

  private UpstreamTls open(PoolConfig config) {
    try {
      return UpstreamTls.open(config.tls(), Clock::now, this);
    } catch (TlsFileException unusable) {
      throw StartException.tls(config, unusable.problem());
    }
  }

  /**
   * Adds a pool, which discovers nothing until {@link #start}. A pool of this name that was retired
   * is kept and reconfigured instead.
   */
  void add(PoolConfig config, PreparedTls prepared) {
    if (retired.remove(config.name())) {
      reconfigure(config, prepared);
      return;
    }
    String name = config.name();
    UpstreamTls tls = prepared.of(name);
    NettyHealthChannels channels = new NettyHealthChannels(control, () -> ofPool(name));
    PoolManager manager =
        new PoolManager(config, control, cluster, channels, random, this::onSnapshot, events);
    PoolBalancer balancer = Balancers.create(config, random);
    pools.put(
        config.name(),
        new Pool(
            config,
            manager,
            balancer,
            new PoisonQuarantine(Clock::nowNs),
            new FirstServing(),
            tls));
    follow(name, tls);
    unstarted.add(manager);
    events.registerPool(config.name());
    BridgeMetrics.registerPool(metrics, config.name(), snapshots, () -> serving(config.name()));
  }

  /** Starts discovery in the added pools. Call it once every shard knows them. */
  void start() {
    while (!unstarted.isEmpty()) {
      unstarted.removeFirst().start();
    }
  }

  /**
   * Returns when each of these pools has had a SERVING upstream, the time is up, or the latch is
   * released.
   */
  void awaitServing(Collection<String> names, Wait wait, CountDownLatch stop)
      throws InterruptedException {
    for (String name : names) {
      CountDownLatch serving = pool(name).started.serving();
      long remainingNs = wait.remainingNs();
      while (remainingNs > 0
          && stop.getCount() > 0
          && !serving.await(
              Math.min(remainingNs, TimeUnit.MILLISECONDS.toNanos(START_CHECK_MS)),
              TimeUnit.NANOSECONDS)) {
        remainingNs = wait.remainingNs();
      }
    }
  }

  /**
   * Returns when it is known of every upstream whether it serves and takes lanes, so that the first
   * clients are spread over all of them and the ready line counts them; or when the time is up.
   * Does not wait for pools without a SERVING upstream.
   */
  void awaitProof(Collection<String> names, Wait wait) throws InterruptedException {
    for (String name : names) {
      FirstServing started = pool(name).started;
      if (started.serving().getCount() == 0) {
        var _ = started.proven().await(wait.remainingNs(), TimeUnit.NANOSECONDS);
      }
    }
    settle();
  }

  /** Changes the options of an existing pool. Its former TLS is kept until {@link #closeUnused}. */
  void reconfigure(PoolConfig next, PreparedTls prepared) {
    UpstreamTls opened = prepared.of(next.name());
    boolean isKept = next.isTls() && opened == null;
    reconfigure(next, isKept ? pool(next.name()).tls : opened);
  }

  private void reconfigure(PoolConfig next, @Nullable UpstreamTls tls) {
    String name = next.name();
    Pool pool = pool(name);
    pools.put(name, pool.with(next, tls));
    if (tls != pool.tls) {
      follow(name, tls);
      renewLanes.accept(name);
    }
    pool.balancer.reconfigure(next);
    pool.manager.reconfigure(next);
  }

  /** Returns the current pools, for {@link #restore}. */
  Checkpoint checkpoint() {
    return new Checkpoint(pools, retired());
  }

  /** Retires the pools added since the checkpoint and gives all others their former options. */
  void restore(Checkpoint before) {
    for (Pool pool : pools.values()) {
      String name = pool.config.name();
      Pool former = before.pools.get(name);
      if (former == null || before.retired.contains(name)) {
        retire(name);
      }
      if (former != null && !former.config.equals(pool.config)) {
        reconfigure(former.config, former.tls);
      }
    }
  }

  /** The changes since the checkpoint are final: closes the TLS that they have replaced. */
  void closeUnused(Checkpoint before) {
    closeUnused(before.pools.values().stream().map(Pool::tls).filter(Objects::nonNull));
  }

  /** Closes TLS that is not used after all. */
  void discard(PreparedTls prepared) {
    closeUnused(prepared.byPool.values().stream());
  }

  private void closeUnused(Stream<UpstreamTls> candidates) {
    candidates
        .filter(one -> pools.values().stream().noneMatch(pool -> pool.tls == one))
        .forEach(tlsWatch::remove);
  }

  /**
   * Returns when the control thread has done everything requested so far. The resulting snapshots
   * are then queued to the shards, ahead of anything sent to them from now on.
   */
  void settle() {
    control.eventLoop().submit(() -> {}).awaitUninterruptibly();
  }

  /** Marks a pool as removed from the configuration; it stays until no connection needs it. */
  void retire(String name) {
    retired.add(name);
  }

  /** The names of the retired pools. */
  Set<String> retired() {
    return Set.copyOf(retired);
  }

  /** Removes a pool that no shard has any more. Blocks until it can publish nothing more. */
  void forget(String name) {
    retired.remove(name);
    Pool gone = pools.get(name);
    if (gone != null) {
      unstarted.remove(gone.manager);
      gone.manager.close();
      follow(name, null);
      if (gone.tls != null) {
        tlsWatch.remove(gone.tls);
      }
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

  // --- TLS ---

  private void follow(String name, @Nullable UpstreamTls tls) {
    if (tls == null) {
      events.unregisterTls("pool", name);
    } else {
      tlsWatch.add(tls);
      events.registerTls("pool", name, tls.certificates());
    }
  }

  @Override
  public @Nullable UpstreamTls ofPool(String name) {
    Pool pool = pools.get(name);
    return pool == null ? null : pool.tls;
  }

  @Override
  public void onUpstreamFilesLoaded(String pool, List<OwnCertificate> certificates) {
    events.onUpstreamFilesLoaded(pool, certificates);
    renewLanes.accept(pool);
  }

  @Override
  public void onUpstreamFilesRefused(String pool, String problem) {
    events.onUpstreamFilesRefused(pool, problem);
  }

  /** Stops discovery and health watching of all pools. */
  void close() {
    pools.values().forEach(pool -> pool.manager.close());
  }

  // --- for the shards ---

  /** Returns these pools in the form that shards take. */
  List<PoolSetup> setups(Collection<String> names) {
    return names.stream()
        .map(this::pool)
        .map(pool -> new PoolSetup(pool.config.options(), pool.balancer, pool.quarantine))
        .toList();
  }

  /** Publishes a pool's last snapshot again; shards that already have it ignore it. */
  void republish(String name) {
    PoolSnapshot known = snapshots.get(name);
    if (known != null) {
      shards.accept(dialled(pool(name), known));
    }
  }

  /** The address to dial for an upstream; empty if it is gone. */
  Optional<SocketAddress> address(String name, String upstream) {
    return pool(name).manager.socketAddress(upstream);
  }

  Duration userTimeout(String name) {
    return pool(name).config.get(HealthKeys.USER_TIMEOUT);
  }

  /** Passes on an outlier signal that a shard raised about an upstream. */
  void onOutlierSignal(String name, String upstream, OutlierSignal why) {
    Pool pool = pools.get(name);
    if (pool != null) {
      pool.manager.onOutlierSignal(upstream, why);
    }
  }

  @Override
  public void onAccepted(String name, String upstream) {
    Pool pool = pools.get(name);
    if (pool != null) {
      pool.manager.onLaneAccepted(upstream);
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

  /** Why an upstream is not serving; empty if it is, or if nothing is known yet. */
  Optional<UpstreamProblem> problem(String name, String upstream) {
    Pool pool = pools.get(name);
    return pool == null ? Optional.empty() : pool.manager.problem(upstream);
  }

  /**
   * Drains an upstream for an operator, or ends that; empty if there is no such pool. The stage is
   * completed on the control thread.
   */
  Optional<CompletableFuture<OperatorDrain>> drain(
      String name, String upstream, boolean isDrained) {
    return Optional.ofNullable(pools.get(name))
        .map(pool -> pool.manager.drain(upstream, isDrained));
  }

  /** Whether an operator drains this upstream. */
  boolean isDrained(String name, String upstream) {
    Pool pool = pools.get(name);
    return pool != null && pool.manager.isDrained(upstream);
  }

  /** What is known of the pools whose name or target names this service, sorted by name. */
  CompletableFuture<List<PoolReport>> reports(String service) {
    List<CompletableFuture<PoolReport>> asked =
        pools.values().stream()
            .filter(pool ->
                pool.config.name().equals(service)
                    || TargetText.isOf(pool.config.target(), service))
            .sorted(Comparator.comparing(pool -> pool.config.name()))
            .map(pool -> pool.manager.report())
            .toList();
    return CompletableFuture.allOf(asked.toArray(CompletableFuture[]::new))
        .thenApply(_ -> asked.stream().map(CompletableFuture::join).toList());
  }

  /** The status of all pools, sorted by name. */
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
        (int) serving(name),
        problem.map(p -> p.kind().label()).orElse(""),
        problem.map(UpstreamProblem::text).orElse(""));
  }

  /** How many upstreams of a pool can take connections; those that stand by, if no other can. */
  private long serving(String name) {
    long serving = count(name, UpstreamState.SERVING);
    return serving > 0 ? serving : count(name, UpstreamState.STANDBY);
  }

  private long count(String name, UpstreamState state) {
    PoolSnapshot snapshot = snapshots.get(name);
    return snapshot == null
        ? 0
        : snapshot.upstreams().stream()
            .filter(
                upstream -> announced.shown(name, upstream.address(), upstream.state()) == state)
            .count();
  }

  /** Takes note of the lanes of all shards. Call it about once a second. */
  void onLanes(List<LaneStatus> lanes) {
    announced.onLanes(lanes);
  }

  /** The last snapshot of each pool, by name. */
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

  /** Returns only the upstreams that can be dialled; the others are still being resolved. */
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
