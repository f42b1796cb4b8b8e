package dev.waymark.tools.directory;

import dev.waymark.config.BridgeConfig.Transport;
import dev.waymark.config.TokenFile;
import dev.waymark.engine.base.LoopClock;
import dev.waymark.engine.base.LoopTime;
import dev.waymark.etcd.EtcdClient;
import dev.waymark.etcd.EtcdUser;
import dev.waymark.net.NettyTransport;
import dev.waymark.registry.Catalog;
import dev.waymark.registry.client.RegistryChannels;
import dev.waymark.registry.table.Picker;
import dev.waymark.registry.table.Table;
import dev.waymark.telemetry.Event;
import dev.waymark.telemetry.EventLog;
import dev.waymark.telemetry.Metrics;
import dev.waymark.tools.directory.xds.AdsLimits;
import dev.waymark.tools.directory.xds.AdsService;
import dev.waymark.tools.directory.xds.StreamStatus;
import dev.waymark.upstream.NettyGuard;
import dev.waymark.upstreams.control.ControlLoop;
import dev.waymark.upstreams.names.ResolverFiles;
import io.grpc.Server;
import io.grpc.ServerInterceptors;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * A running directory: its table, and the gRPC server on which nodes register and others watch. One
 * event loop runs all of it, so there are no locks. Thread-safe.
 */
public final class DirectoryServer implements AutoCloseable {
  private static final int REQUEST_BYTES_MAX = 4 * 1024 * 1024;
  private static final long FLUSH_MS = 50;
  private static final long TICK_MS = 250;
  private static final long TOKENS_MS = 1_000;
  private static final long KEEP_ALIVE_MIN_MS = 1_000;

  /** A peer that is gone without a word is noticed, so that it holds nothing for long. */
  private static final long KEEP_ALIVE_S = 30;

  private static final long KEEP_ALIVE_TIMEOUT_S = 10;
  private static final long STOP_TIMEOUT_MS = 1_000;

  /** How long the admin port waits for the loop. */
  private static final long ANSWER_TIMEOUT_MS = 5_000;

  private final EventLog log;
  private final LongSupplier monotonicNs;
  private final LoopClock clock = new LoopClock(_ -> {});
  private final DirectoryCounters counters = new DirectoryCounters();
  private final DirectoryMetrics levels = new DirectoryMetrics(counters);
  private final EventLoopGroup loops;
  private final EventLoop loop;
  private final Table table;
  private final TableCatalog catalog;
  private final ServerFacts facts;
  private final WatchFeed feed;
  private final Registrations registrations;
  private final Watchers watchers;
  private final AdsService xds;
  private final Optional<EtcdStore> store;
  private final Access access;
  private final HealthStatusManager health = new HealthStatusManager();
  private final Server server;
  private final InetSocketAddress listen;

  /** Whether xDS has been told that nothing is missing any more. Confined to the loop. */
  private boolean isWhole;

  private DirectoryServer(
      InetSocketAddress listen,
      DirectoryOptions options,
      EventLog log,
      LongSupplier monotonicNs,
      RandomGenerator random)
      throws IOException {
    this.log = log;
    this.monotonicNs = monotonicNs;
    NettyTransport transport =
        NettyTransport.choose(Epoll.isAvailable() ? Transport.EPOLL : Transport.NIO);
    loops =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("directory", true), transport.ioHandlers());
    loop = loops.next();
    table = new Table(options.limits());
    catalog = new TableCatalog(table);
    facts =
        new ServerFacts(
            random.nextLong(),
            monotonicNs.getAsLong(),
            options.limits().ttl(),
            options.store().isPresent());
    feed = new WatchFeed(table, facts);
    LongSupplier nowNs = this::nowNs;
    watchers =
        new Watchers(
            feed, facts, counters, options.watchersMax(), () -> table.log().version(), nowNs);
    access =
        new Access(
            options.tokens(),
            new Access.Certificates(
                options.readNames(), options.operateNames(), options.registerNames()),
            log);
    registrations = new Registrations(table, options.limits(), counters, log, nowNs);
    RegistryService service =
        new RegistryService(registrations, watchers, new Picker(table, random), nowNs);
    xds = new AdsService(catalog, loop, nowNs, AdsLimits.DEFAULT, new XdsLog(log, counters));
    store = options.store().map(wanted -> store(wanted, options, transport, random));
    CallerInterceptor callers = new CallerInterceptor(access, counters);
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(listen)
            .bossEventLoopGroup(loops)
            .workerEventLoopGroup(loops)
            .channelFactory(() -> transport.servers().open(listen.getAddress()))
            .directExecutor()
            .maxInboundMessageSize(REQUEST_BYTES_MAX)
            .keepAliveTime(KEEP_ALIVE_S, TimeUnit.SECONDS)
            .keepAliveTimeout(KEEP_ALIVE_TIMEOUT_S, TimeUnit.SECONDS)
            .permitKeepAliveTime(KEEP_ALIVE_MIN_MS, TimeUnit.MILLISECONDS)
            .permitKeepAliveWithoutCalls(true)
            .addService(ServerInterceptors.intercept(service.definition(), callers))
            .addService(
                ServerInterceptors.intercept(xds.definition(), new ReaderInterceptor(), callers))
            .addService(health.getHealthService());
    server =
        (options.tls() == null
                ? NettyGuard.guard(builder)
                : NettyGuard.guard(builder, options.tls()))
            .build();
    try {
      server.start();
    } catch (IOException e) {
      end();
      throw e;
    }
    this.listen = new InetSocketAddress(listen.getAddress(), server.getPort());
  }

  private EtcdStore store(
      StoreOptions wanted,
      DirectoryOptions options,
      NettyTransport transport,
      RandomGenerator random) {
    boolean isEpoll = transport.name().equals("epoll");
    ControlLoop control =
        isEpoll
            ? new ControlLoop(
                loop,
                new Time(),
                EpollDatagramChannel.class,
                EpollSocketChannel.class,
                EpollDomainSocketChannel.class)
            : ControlLoop.nio(loop, new Time());
    RegistryChannels channels =
        new RegistryChannels(
            control, ResolverFiles.ofSystem(), wanted.etcd().servers(), wanted.tls());
    Optional<EtcdUser> user =
        wanted
            .passwordFile()
            .map(file -> new EtcdUser(wanted.username(), () -> TokenFile.password(file)));
    return new EtcdStore(
        table,
        control,
        random,
        new EtcdClient(control, random, channels, user),
        wanted.etcd().prefix(),
        options.limits().instancesMax(),
        options.limits().ttl(),
        log,
        facts::onStoreRead);
  }

  /**
   * Starts a directory. Port 0 picks a free port.
   *
   * @param monotonicNs the clock
   * @param random for the epoch and for what is picked at random; used by the directory only
   * @throws IOException if the address cannot be bound; the message says which
   */
  public static DirectoryServer start(
      InetSocketAddress listen,
      DirectoryOptions options,
      EventLog log,
      LongSupplier monotonicNs,
      RandomGenerator random)
      throws IOException {
    DirectoryServer started = new DirectoryServer(listen, options, log, monotonicNs, random);
    started.loop.execute(started::startTicking);
    return started;
  }

  private void startTicking() {
    clock.start(monotonicNs.getAsLong());
    store.ifPresent(EtcdStore::start);
    var _ = loop.scheduleWithFixedDelay(this::flush, 0, FLUSH_MS, TimeUnit.MILLISECONDS);
    var _ = loop.scheduleWithFixedDelay(this::tick, TICK_MS, TICK_MS, TimeUnit.MILLISECONDS);
    var _ =
        loop.scheduleWithFixedDelay(
            () -> Thread.ofVirtual().start(access::refresh),
            TOKENS_MS,
            TOKENS_MS,
            TimeUnit.MILLISECONDS);
  }

  /**
   * The time of the loop, excluding its standstills: nobody expires for a pause of this process.
   */
  private long nowNs() {
    return clock.nowNs(monotonicNs.getAsLong());
  }

  private void flush() {
    guarded(() -> {
      watchers.flush();
      catalog.flush();
      store.ifPresent(EtcdStore::flush);
    });
  }

  private void tick() {
    guarded(() -> {
      long now = nowNs();
      if (!clock.isDeferringDeadlines()) {
        for (Table.NodeView gone : table.tick(now)) {
          counters.expired.increment();
          registrations.onExpired(gone.node());
          log.write(
              Event.NODE_EXPIRED,
              "node",
              gone.node(),
              "instances",
              gone.instances(),
              "silent",
              TimeUnit.NANOSECONDS.toMillis(now - gone.heartbeatNs()) + "ms");
        }
        feed.tick(now);
      }
      if (!isWhole && facts.isSettled(nowNs())) {
        isWhole = true;
        xds.onWhole();
      }
      levels.take(table, watchers.count(), xds.streams().size());
    });
  }

  /** A bug must not end a periodic task. */
  private void guarded(Runnable step) {
    try {
      step.run();
    } catch (RuntimeException bug) {
      log.write(Event.BUG, "where", "directory", "error", bug);
    }
  }

  /** The bound address, with the real port in place of 0. */
  public InetSocketAddress address() {
    return listen;
  }

  /** What is registered; to be used on {@link #loop} only. */
  public Catalog catalog() {
    return catalog;
  }

  /** The loop that runs the directory. */
  public EventLoop loop() {
    return loop;
  }

  Access access() {
    return access;
  }

  /** Asks the directory's loop; waits for the answer. */
  <T> T ask(Callable<T> question)
      throws InterruptedException, ExecutionException, TimeoutException {
    return loop.submit(question).get(ANSWER_TIMEOUT_MS, TimeUnit.MILLISECONDS);
  }

  /** Only on the loop. */
  Table table() {
    return table;
  }

  Watchers watchers() {
    return watchers;
  }

  List<StreamStatus> xdsStreams() {
    return xds.streams();
  }

  /** Why the store cannot be used; empty if it can, or there is none. */
  String storeProblem() {
    return store.map(EtcdStore::problem).orElse("");
  }

  ServerFacts facts() {
    return facts;
  }

  /** The time of the directory; only on the loop. */
  long now() {
    return nowNs();
  }

  /** Registers the directory's metrics. */
  public void register(Metrics metrics) {
    levels.register(metrics);
  }

  /** Ends all calls. Takes about a second at most. */
  @Override
  public void close() {
    server.shutdownNow();
    store.ifPresent(one -> loop.execute(one::close));
    end();
  }

  /** The time of the loop, for what runs on it. */
  private final class Time implements LoopTime {
    @Override
    public long nowNs() {
      return DirectoryServer.this.nowNs();
    }

    @Override
    public long standstillNs() {
      return clock.standstillNs();
    }
  }

  private void end() {
    loops.shutdownGracefully(0, STOP_TIMEOUT_MS, TimeUnit.MILLISECONDS);
  }
}
