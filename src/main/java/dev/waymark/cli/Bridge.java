package dev.waymark.cli;

import dev.waymark.admin.AdminServer;
import dev.waymark.admin.Event;
import dev.waymark.admin.EventLog;
import dev.waymark.admin.Metrics;
import dev.waymark.admin.ProcessMetrics;
import dev.waymark.admin.Readiness;
import dev.waymark.cli.BridgeShard.PoolLink;
import dev.waymark.config.BridgeConfig;
import dev.waymark.config.ListenerConfig;
import dev.waymark.config.LoadedConfig;
import dev.waymark.config.PoolConfig;
import dev.waymark.core.Balancer;
import dev.waymark.core.ClientSocket;
import dev.waymark.core.Connection;
import dev.waymark.core.ListenerOptions;
import dev.waymark.core.MemoryBudget;
import dev.waymark.core.PoolOptions;
import dev.waymark.core.PoolSnapshot;
import dev.waymark.core.Shard;
import dev.waymark.core.Suspicion;
import dev.waymark.lane.LaneConnector;
import dev.waymark.listener.Acceptor;
import dev.waymark.listener.DescriptorLimit;
import dev.waymark.listener.ListenerPort;
import dev.waymark.pool.Balancers;
import dev.waymark.pool.ControlLoop;
import dev.waymark.pool.NettyHealthChannels;
import dev.waymark.pool.PoolManager;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/**
 * A running bridge: puts the parts together, starts them in order and ends them in the other.
 * {@link #start}, {@link #drain} and {@link #stop} block and are called from one thread, none of
 * the loops; the rest is thread-safe.
 */
final class Bridge implements Acceptor {
  private static final long START_CHECK_MS = 50;
  private static final long DRAIN_CHECK_MS = 50;

  /** How soon the end of a storm of log lines is told with its count. */
  private static final long LOG_SUMMARY_S = 10;

  private final BridgeConfig config;
  private final EventLog log;
  private final Metrics metrics = new Metrics();
  private final BridgeCounters counters = new BridgeCounters(metrics);
  private final BridgeEvents events;
  private final MemoryBudget budget;
  private final NettyTransport transport;
  private final AdminServer admin;
  private final Map<String, PoolLink> pools = new LinkedHashMap<>();
  private final Map<String, PoolSnapshot> snapshots = new ConcurrentHashMap<>();
  private final Map<String, CountDownLatch> firstServing = new LinkedHashMap<>();
  private final List<ListenerPort> ports = new ArrayList<>();
  private final BridgeShards shards;
  private final MultiThreadIoEventLoopGroup controlLoops;
  private boolean isDraining;
  private volatile Readiness readiness = new Readiness(false, "starting");

  Bridge(LoadedConfig loaded, EventLog log) {
    this.config = loaded.config();
    this.log = log;
    this.events = new BridgeEvents(log, metrics, this::onUpstreamSuspect);
    this.budget = new MemoryBudget(config.limits().memoryBudgetBytes());
    this.transport = NettyTransport.choose(config.transport());
    this.controlLoops =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("control"), NioIoHandler.newFactory());
    this.shards = new BridgeShards(config.shards(), transport);
    this.admin =
        new AdminServer(config.admin().address(), new BridgeState(this, loaded), metrics, log);
  }

  // --- life ---

  /** Opens the admin port, so that everything after it can be watched. */
  void startAdmin() {
    ProcessMetrics.register(metrics, Version.current());
    admin.start();
    controlLoops
        .next()
        .scheduleAtFixedRate(log::writeSuppressed, LOG_SUMMARY_S, LOG_SUMMARY_S, TimeUnit.SECONDS);
  }

  /**
   * Finds upstreams, and opens the listeners when each one's pool has a SERVING upstream, or after
   * the start time-out. Opens none, and is not ready, when the latch is released meanwhile.
   *
   * @throws StartException naming the listener and its address
   */
  void start(CountDownLatch stop) throws InterruptedException {
    createPools();
    createShards();
    createPorts();
    BridgeMetrics.register(metrics, config, shards.all().size(), budget, ports, snapshots);
    long deadlineNs = Clock.nowNs() + config.startTimeout().toNanos();
    shards.start();
    pools.values().forEach(pool -> pool.manager().start());
    for (CountDownLatch serving : firstServing.values()) {
      awaitServing(serving, deadlineNs, stop);
    }
    if (stop.getCount() == 0) {
      return;
    }
    for (ListenerPort port : ports) {
      open(port);
    }
    readiness = new Readiness(true, "listeners are open");
    log.write(
        Event.BRIDGE_STARTED,
        "transport",
        transport.name(),
        "shards",
        shards.all().size(),
        "node",
        config.node());
  }

  private static void awaitServing(CountDownLatch serving, long deadlineNs, CountDownLatch stop)
      throws InterruptedException {
    long leftNs = deadlineNs - Clock.nowNs();
    while (leftNs > 0
        && stop.getCount() > 0
        && !serving.await(
            Math.min(leftNs, TimeUnit.MILLISECONDS.toNanos(START_CHECK_MS)),
            TimeUnit.NANOSECONDS)) {
      leftNs = deadlineNs - Clock.nowNs();
    }
  }

  /**
   * Stops accepting; returns when the last connection has ended, the drain time-out is over, or the
   * latch is released.
   */
  void drain(CountDownLatch hurry) throws InterruptedException {
    readiness = new Readiness(false, "draining");
    isDraining = true;
    for (ListenerPort port : ports) {
      port.close();
      log.write(Event.LISTENER_CLOSED, "listener", port.config().name());
    }
    long deadlineNs = Clock.nowNs() + config.drainTimeout().toNanos();
    log.write(
        Event.DRAINING,
        "connections",
        shards.connectionCount(),
        "timeout-ms",
        config.drainTimeout().toMillis());
    while (shards.connectionCount() > 0 && deadlineNs - Clock.nowNs() > 0) {
      if (hurry.await(DRAIN_CHECK_MS, TimeUnit.MILLISECONDS)) {
        return;
      }
    }
  }

  /**
   * Ends what is left, telling clients and upstreams, and frees every thread. Safe after a failed
   * start.
   */
  void stop() throws InterruptedException {
    boolean wasStarted = readiness.isReady() || isDraining;
    readiness = new Readiness(false, "stopped");
    ports.forEach(ListenerPort::close);
    shards.endConnections();
    pools.values().forEach(pool -> pool.manager().close());
    shards.endLoops();
    controlLoops.shutdownGracefully(0, BridgeShards.STOP_TIMEOUT_MS, TimeUnit.MILLISECONDS).await();
    if (wasStarted) {
      log.write(Event.STOPPED);
    }
    log.writeSuppressed();
    admin.stop();
  }

  // --- parts ---

  private void createPools() {
    ControlLoop control = ControlLoop.nio((EventLoop) controlLoops.next());
    RandomGenerator random = new SecureRandom();
    for (PoolConfig pool : config.pools()) {
      events.registerPool(pool.name());
      firstServing.put(pool.name(), new CountDownLatch(1));
      NettyHealthChannels channels = new NettyHealthChannels(control, pool.userTimeout());
      pools.put(
          pool.name(),
          new PoolLink(
              pool, new PoolManager(pool, control, channels, random, this::onSnapshot, events)));
    }
  }

  private void createShards() {
    List<Shard.PoolSetup> setups =
        config.pools().stream()
            .map(pool -> new Shard.PoolSetup(options(pool), balancer(pool)))
            .toList();
    List<ListenerOptions> listeners = config.listeners().stream().map(Bridge::options).toList();
    shards.create(config.node(), (loop, identity) -> newShard(loop, identity, setups, listeners));
  }

  private void createPorts() {
    ListenerPort.Sockets sockets =
        new ListenerPort.Sockets(
            (EventLoop) shards.loops().next(),
            shards.loops(),
            transport.serverType(),
            transport.userTimeoutMs(),
            DescriptorLimit.ofProcess());
    for (ListenerConfig listener : config.listeners()) {
      ports.add(new ListenerPort(listener, sockets, this, events));
    }
  }

  private BridgeShard newShard(
      EventLoop loop,
      Shard.Identity identity,
      List<Shard.PoolSetup> setups,
      List<ListenerOptions> listeners) {
    LaneConnector connector =
        new LaneConnector(
            new LaneConnector.Settings(
                loop,
                transport.clientType(),
                transport.domainType(),
                transport.userTimeoutMs(),
                config.limits(),
                Clock::nowNs,
                this::onBug));
    return new BridgeShard(
        loop,
        connector,
        pools,
        ports,
        this::onBug,
        environment ->
            new Shard(
                Clock.nowNs(),
                identity,
                config.limits(),
                setups,
                listeners,
                environment,
                events,
                counters.forShard(),
                budget,
                new SplittableRandom()));
  }

  private static PoolOptions options(PoolConfig pool) {
    long waitNs = pool.isWaitingForUpstream() ? pool.noUpstreamWait().toNanos() : 0;
    return new PoolOptions(
        pool.name(), pool.acknowledge(), waitNs, pool.noUpstreamBytesMax(), pool.moving());
  }

  private static ListenerOptions options(ListenerConfig listener) {
    return new ListenerOptions(
        listener.name(),
        listener.pool(),
        listener.framing(),
        listener.frameBytesMax(),
        listener.idleTimeout().toNanos());
  }

  private static Balancer balancer(PoolConfig pool) {
    return Balancers.create(pool, new SecureRandom());
  }

  private void open(ListenerPort port) {
    try {
      port.open();
    } catch (IOException failure) {
      throw StartException.listener(port.config(), failure);
    }
    log.write(
        Event.LISTENER_OPEN,
        "listener",
        port.config().name(),
        "address",
        ListenerPort.text(port.address()));
  }

  // --- inputs from the parts ---

  /**
   * A shard is told of upstreams that can be dialled; the others are looked up still. Control
   * thread.
   */
  private void onSnapshot(PoolSnapshot snapshot) {
    snapshots.put(snapshot.pool(), snapshot);
    PoolLink pool = pools.get(snapshot.pool());
    CountDownLatch serving = firstServing.get(snapshot.pool());
    if (pool == null || serving == null) {
      return;
    }
    PoolSnapshot dialled =
        new PoolSnapshot(
            snapshot.pool(),
            snapshot.version(),
            snapshot.upstreams().stream()
                .filter(upstream -> pool.manager().socketAddress(upstream.address()).isPresent())
                .toList());
    shards.publish(dialled);
    if (dialled.isAnyServing()) {
      serving.countDown();
    }
  }

  private void onUpstreamSuspect(String pool, String upstream, Suspicion why) {
    PoolLink link = pools.get(pool);
    if (link != null) {
      link.manager().onUpstreamSuspect(upstream, why);
    }
  }

  @Override
  public long nowNs() {
    return Clock.nowNs();
  }

  @Override
  public Connection onAccepted(EventLoop loop, String listener, ClientSocket socket) {
    return shards.on(loop).onAccepted(listener, socket);
  }

  @Override
  public void onBug(Throwable bug) {
    log.write(Event.BUG, "exception", bug);
  }

  // --- outputs ---

  Readiness readiness() {
    return readiness;
  }

  List<BridgeShard> shards() {
    return shards.all();
  }

  List<ListenerPort> ports() {
    return ports;
  }

  Map<String, PoolSnapshot> snapshots() {
    return snapshots;
  }

  BridgeCounters counters() {
    return counters;
  }

  String adminAddress() {
    return ListenerPort.text(admin.address());
  }
}
