package dev.waymark.bridge;

import dev.waymark.api.AdminServer;
import dev.waymark.api.PoolStatus;
import dev.waymark.api.Readiness;
import dev.waymark.config.AdminTls;
import dev.waymark.config.BridgeConfig;
import dev.waymark.config.ClusterAccess;
import dev.waymark.config.ListenerConfig;
import dev.waymark.config.LoadedConfig;
import dev.waymark.config.PoolConfig;
import dev.waymark.config.ProcessKeys;
import dev.waymark.config.ServerTlsConfig;
import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.shard.MemoryBudget;
import dev.waymark.engine.shard.Shard;
import dev.waymark.engine.shard.ShardIdentity;
import dev.waymark.engine.stream.ClientSocket;
import dev.waymark.net.NettyTransport;
import dev.waymark.net.dial.Dialler;
import dev.waymark.net.lane.LaneConnector;
import dev.waymark.net.listener.Acceptor;
import dev.waymark.net.listener.DescriptorLimit;
import dev.waymark.net.listener.ListenerPort;
import dev.waymark.net.listener.MemoryPauses;
import dev.waymark.net.tls.ServerTls;
import dev.waymark.net.tls.TlsFileException;
import dev.waymark.net.tls.TlsWatch;
import dev.waymark.telemetry.Event;
import dev.waymark.telemetry.EventLog;
import dev.waymark.telemetry.Metrics;
import dev.waymark.telemetry.ProcessMetrics;
import dev.waymark.upstreams.control.ControlLoop;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.internal.PlatformDependent;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * A running bridge: assembles the parts, starts them in order and stops them in reverse. {@link
 * #start}, {@link #drain} and {@link #stop} block; call them from a single thread that is not an
 * event loop. Everything else is thread-safe.
 */
public final class Bridge implements Acceptor {
  private static final long DRAIN_CHECK_MS = 50;

  /**
   * Longer than the 200 ms after which an upstream that has not refused a lane counts as having
   * accepted it ({@link LaneConnector.Attempts}).
   */
  private static final long PROOF_TIMEOUT_NS = TimeUnit.MILLISECONDS.toNanos(300);

  /** How often the number of suppressed log lines is logged. */
  private static final long LOG_SUMMARY_S = 10;

  /**
   * How often removed listeners and pools are checked for remaining connections, and the token file
   * for changes.
   */
  private static final long SWEEP_S = 1;

  /** The configuration at start. For the current one, see {@link #inForce}. */
  private final BridgeConfig config;

  private final EventLog log;
  private final Metrics metrics = new Metrics();
  private final BridgeCounters counters;
  private final BridgeEvents events;
  private final MemoryLimits memory;
  private final DirectMemory direct;
  private final MemoryBudget budget;
  private final Abort abort;
  private final TurnWatch turns = new TurnWatch();
  private final NettyTransport transport;
  private final TlsWatch tlsWatch = new TlsWatch(this::onBug);
  private final DescriptorLimit descriptors = DescriptorLimit.ofProcess();
  private final AdminServer admin;
  private final MultiThreadIoEventLoopGroup controlLoops;
  private final BridgeShards shards;
  private final BridgePools pools;
  private final BridgePorts ports;
  private final Reload reload;
  private volatile boolean isDraining;
  private volatile boolean isEnding;
  private volatile Readiness readiness = new Readiness(false, "starting");

  /** A bridge that runs in no Kubernetes cluster. */
  public Bridge(
      LoadedConfig loaded,
      Optional<Supplier<LoadedConfig>> file,
      EventLog log,
      LongSupplier logDropped) {
    this(loaded, file, Optional.empty(), log, logDropped);
  }

  /**
   * @param file reads the configuration again; empty if there is no file
   * @param cluster the Kubernetes cluster in which the bridge runs; empty if it does not
   * @param logDropped returns the number of log lines dropped so far; called on any thread
   */
  public Bridge(
      LoadedConfig loaded,
      Optional<Supplier<LoadedConfig>> file,
      Optional<ClusterAccess> cluster,
      EventLog log,
      LongSupplier logDropped) {
    this.config = loaded.config();
    this.log = log;
    this.events = new BridgeEvents(log, metrics, this::onOutlierSignal);
    this.memory = MemoryLimits.ofProcess();
    this.direct = new DirectMemory(memory, PlatformDependent::usedDirectMemory);
    this.budget = new MemoryBudget(config.limits().memoryBudgetBytes(), direct::isShort);
    this.abort = new Abort(log, System::exit);
    this.transport = NettyTransport.choose(config.get(ProcessKeys.TRANSPORT));
    this.controlLoops =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("control"), NioIoHandler.newFactory());
    this.counters = new BridgeCounters(metrics, controlLoops.next());
    LoopWatch controlTime = newWatch("control");
    controlTime.startTicking((EventLoop) controlLoops.next());
    this.shards = new BridgeShards(config.get(ProcessKeys.SHARDS), transport);
    this.pools =
        new BridgePools(
            ControlLoop.nio((EventLoop) controlLoops.next(), controlTime),
            cluster,
            events,
            metrics,
            shards::publish,
            tlsWatch,
            shards::renewLanes);
    this.ports = new BridgePorts(sockets(), this, events, log, metrics, tlsWatch);
    this.admin = new AdminServer(config.admin(), new BridgeOperations(this), metrics, log);
    this.reload =
        new Reload(loaded, file, new Reload.Parts(pools, ports, shards, admin), log, metrics);
    BridgeMetrics.registerLog(metrics, logDropped);
    BridgeMetrics.registerReadiness(metrics, () -> readiness().isReady(), this::isDraining);
  }

  private ListenerPort.Sockets sockets() {
    return new ListenerPort.Sockets(
        (EventLoop) shards.loops().next(),
        shards.loops(),
        transport.servers(),
        transport.userTimeoutMs(),
        memory.readBytesMax(),
        () -> budget.isOver() || direct.isShort(),
        descriptors,
        new MemoryPauses(),
        Clock::nowNs);
  }

  // --- lifecycle ---

  /**
   * Opens the admin port first, so that the rest of the start can be observed.
   *
   * @throws StartException naming a file for its TLS that cannot be used
   */
  public void startAdmin() {
    ProcessMetrics.register(metrics, Version.current());
    admin.start(config.admin().tls().map(this::open).orElse(null));
    watch("control", (EventLoop) controlLoops.next());
    turns.start();
    tlsWatch.start();
    log.write(
        Event.MEMORY_LIMITS,
        "memory-bytes",
        memory.totalBytes(),
        "heap-max-bytes",
        memory.heapBytes(),
        "direct-max-bytes",
        memory.directBytes(),
        "budget-bytes",
        budget.budgetBytes());
    controlLoops
        .next()
        .scheduleAtFixedRate(log::writeSuppressed, LOG_SUMMARY_S, LOG_SUMMARY_S, TimeUnit.SECONDS);
    controlLoops
        .next()
        .scheduleAtFixedRate(this::sweepInBackground, SWEEP_S, SWEEP_S, TimeUnit.SECONDS);
  }

  private ServerTls open(AdminTls wanted) {
    ServerTlsConfig server = wanted.server();
    try {
      ServerTls tls = ServerTls.open(server, null, Clock::now, events);
      tlsWatch.add(tls);
      events.registerTls("listener", server.name(), tls.certificates());
      return tls;
    } catch (TlsFileException unusable) {
      throw StartException.adminTls(unusable.problem());
    }
  }

  /**
   * On another thread, because it waits for shards and files, which the control thread must not.
   */
  private void sweepInBackground() {
    Thread.ofVirtual().name("tokens").start(admin::refreshTokens);
    Thread.ofVirtual().name("sweep").start(() -> reload.sweep(counters));
  }

  /**
   * Finds upstreams, then opens the listeners once every pool has a SERVING upstream and its other
   * upstreams have answered or had a moment to, or after the start timeout. If the latch is
   * released meanwhile, opens no listener, and the bridge is not ready.
   *
   * @throws StartException naming the listener and its address
   */
  public void start(CountDownLatch stop) throws InterruptedException {
    BridgePools.PreparedTls upstreamTls = pools.prepareTls(config.pools());
    config.pools().forEach(pool -> pools.add(pool, upstreamTls));
    List<String> poolNames = config.pools().stream().map(PoolConfig::name).toList();
    shards.create(config.get(ProcessKeys.NODE), this::newShard);
    BridgeMetrics.register(metrics, shards.all().size(), budget, memory);
    shards.watch(this::watch);
    shards.configure(pools.setups(poolNames), config.listeners());
    shards.start();
    pools.start();
    pools.awaitServing(poolNames, new Wait(config.get(ProcessKeys.START_TIMEOUT).toNanos()), stop);
    pools.awaitProof(poolNames, new Wait(PROOF_TIMEOUT_NS));
    if (stop.getCount() == 0) {
      return;
    }
    ports.switchTo(ports.prepare(config.listeners()));
    reload.open();
    readiness = new Readiness(true, "listeners are open");
    List<PoolStatus> statuses = pools.statuses();
    log.write(
        Event.BRIDGE_STARTED,
        "transport",
        transport.name(),
        "shards",
        shards.all().size(),
        "node",
        config.get(ProcessKeys.NODE),
        "upstreams",
        statuses.stream().mapToInt(PoolStatus::upstreams).sum(),
        "serving",
        statuses.stream().mapToInt(PoolStatus::serving).sum());
    Shortfall.of(
            Shortfall.Environment.current(transport, descriptors.clientsMax()), reload.inForce())
        .forEach(shortfall ->
            log.write(
                Event.DEGRADED,
                "what",
                shortfall.what(),
                "reason",
                shortfall.reason(),
                "effect",
                shortfall.effect()));
  }

  /**
   * Stops accepting; returns when the last connection has ended, the drain timeout has expired, or
   * the latch is released.
   */
  public void drain(CountDownLatch hurry) throws InterruptedException {
    readiness = new Readiness(false, "draining");
    isDraining = true;
    reload.close();
    ports.close();
    Duration timeout = inForce().config().get(ProcessKeys.DRAIN_TIMEOUT);
    Wait wait = new Wait(timeout.toNanos());
    log.write(
        Event.DRAINING, "connections", shards.connectionCount(), "timeout-ms", timeout.toMillis());
    shards.drain(timeout.toNanos());
    // Clients in a PROXY header or a TLS handshake become connections, or are refused in seconds.
    while ((shards.connectionCount() > 0 || ports.hasClients()) && !wait.isOver()) {
      if (hurry.await(DRAIN_CHECK_MS, TimeUnit.MILLISECONDS)) {
        return;
      }
    }
  }

  /**
   * Ends the remaining connections, informing clients and upstreams, and stops every thread. Safe
   * after a failed start.
   */
  public void stop() throws InterruptedException {
    boolean wasStarted = readiness.isReady() || isDraining;
    isEnding = true;
    readiness = new Readiness(false, "stopped");
    reload.close();
    ports.close();
    shards.endConnections();
    pools.close();
    // Otherwise snapshots still under way would reach loops that have ended.
    pools.settle();
    shards.endLoops();
    tlsWatch.close();
    controlLoops.shutdownGracefully(0, BridgeShards.STOP_TIMEOUT_MS, TimeUnit.MILLISECONDS).await();
    if (wasStarted) {
      log.write(Event.STOPPED);
    }
    log.writeSuppressed();
    turns.close();
    admin.stop();
  }

  // --- parts ---

  private BridgeShard newShard(EventLoop loop, ShardIdentity identity) {
    LoopWatch time = newWatch("shard-" + identity.index());
    LaneConnector connector =
        new LaneConnector(
            new LaneConnector.Settings(
                new Dialler(
                    loop,
                    transport.clientType(),
                    transport.domainType(),
                    transport.userTimeoutMs()),
                "grpc-waymark/" + Version.current(),
                config.limits(),
                time::nowNs,
                this::onBug,
                pools,
                pools));
    return new BridgeShard(
        loop,
        time,
        connector,
        pools,
        ports,
        this::onBug,
        environment ->
            new Shard(
                Clock.nowNs(),
                identity,
                config.limits(),
                List.of(),
                List.of(),
                environment,
                events,
                counters.forShard(),
                budget,
                new SplittableRandom()));
  }

  private LoopWatch newWatch(String loop) {
    LoopWatch watch = new LoopWatch(loop, events);
    BridgeMetrics.registerLoop(metrics, watch);
    return watch;
  }

  /** Watches an event loop; if it ends by itself, the process ends too. */
  private void watch(String name, EventLoop loop) {
    turns.watch(name, loop);
    loop.terminationFuture()
        .addListener(_ -> {
          if (!isEnding) {
            abort.onLoopEnded(name);
          }
        });
  }

  // --- inputs from the parts ---

  private void onOutlierSignal(String pool, String upstream, OutlierSignal why) {
    pools.onOutlierSignal(pool, upstream, why);
  }

  @Override
  public LongSupplier clockNs(EventLoop loop) {
    return shards.on(loop).time()::nowNs;
  }

  @Override
  public ListenerConfig listener(EventLoop loop, String listener) {
    return shards.on(loop).listener(listener);
  }

  @Override
  public Connection onAccepted(EventLoop loop, String listener, ClientSocket socket) {
    return shards.on(loop).onAccepted(listener, socket);
  }

  @Override
  public void onBug(Throwable bug) {
    if (bug instanceof Error) {
      abort.onError("shard", bug);
    } else {
      log.write(Event.BUG, "exception", bug);
    }
  }

  /**
   * Called when an uncaught exception has ended a thread. For Netty's threads the cause may be a
   * lack of memory.
   */
  public void onUncaught(String thread, Throwable failure) {
    if (failure instanceof Error) {
      abort.onError(thread, failure);
    } else {
      log.write(Event.BUG, "where", thread, "exception", failure);
    }
  }

  // --- outputs ---

  /** Whether every event loop is turning. */
  Readiness health() {
    return turns
        .stuck()
        .map(why -> new Readiness(false, why))
        .orElseGet(() -> new Readiness(true, "every event loop turns"));
  }

  /** Whether the bridge serves new clients. */
  public Readiness readiness() {
    Readiness health = health();
    if (!health.isReady()) {
      return health;
    }
    return readiness.isReady() && reload.isDrained()
        ? new Readiness(false, "an operator drains the bridge; POST /undrain ends that")
        : readiness;
  }

  private boolean isDraining() {
    return isDraining || reload.isDrained();
  }

  BridgeShards shards() {
    return shards;
  }

  List<ListenerPort> ports() {
    return ports.all();
  }

  BridgePools pools() {
    return pools;
  }

  public Reload reload() {
    return reload;
  }

  /** The configuration in force, including the last reload. */
  LoadedConfig inForce() {
    return reload.inForce();
  }

  BridgeCounters counters() {
    return counters;
  }

  String adminAddress() {
    return ListenerPort.text(admin.address());
  }
}
