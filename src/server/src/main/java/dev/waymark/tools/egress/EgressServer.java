package dev.waymark.tools.egress;

import dev.waymark.config.BridgeConfig.Transport;
import dev.waymark.net.NettyTransport;
import dev.waymark.net.listener.SystemErrors;
import dev.waymark.net.tls.OwnCertificate;
import dev.waymark.net.tls.TlsFileException;
import dev.waymark.net.tls.TlsWatch;
import dev.waymark.net.tls.UpstreamTls;
import dev.waymark.protocol.CloseReason;
import dev.waymark.telemetry.Event;
import dev.waymark.telemetry.EventLog;
import dev.waymark.telemetry.Metrics;
import dev.waymark.upstream.ConnectionHandler;
import dev.waymark.upstream.NettyGuard;
import dev.waymark.upstream.Upstream;
import dev.waymark.upstream.UpstreamConnection;
import dev.waymark.upstream.UpstreamServer;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.handler.ssl.SslContext;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A running egress: serves Attach and health, and passes connections on to a server. Thread-safe.
 */
public final class EgressServer implements AutoCloseable {
  private static final int FLOW_CONTROL_WINDOW_BYTES = 4 * 1024 * 1024;
  private static final int INBOUND_MESSAGE_BYTES_MAX = 4 * 1024 * 1024;
  private static final long KEEP_ALIVE_MIN_MS = 1_000;
  private static final long STOP_TIMEOUT_MS = 1_000;

  private final EgressOptions options;
  private final EventLog log;
  private final InetSocketAddress listen;
  private final EgressCounters counters = new EgressCounters();
  private final EventLoopGroup loops;
  private final TlsWatch tlsWatch;
  private final @Nullable UpstreamTls tls;
  private final ServerDialer dialer;
  private final ServerProbe probe;
  private final CountDownLatch probed = new CountDownLatch(1);
  private final Upstream upstream;
  private final UpstreamServer server;

  /** Why the server is not there; empty if it is. */
  private volatile Optional<String> serverProblem = Optional.of("the first probe is under way");

  private boolean isDraining;

  private EgressServer(InetSocketAddress listen, EgressOptions options, EventLog log)
      throws IOException, TlsFileException {
    this.options = options;
    this.log = log;
    this.tlsWatch = new TlsWatch(bug -> log.write(Event.BUG, "where", "tls", "error", bug));
    this.tls = serverTls(options);
    NettyTransport transport =
        NettyTransport.choose(Epoll.isAvailable() ? Transport.EPOLL : Transport.NIO);
    loops =
        new MultiThreadIoEventLoopGroup(
            0, new DefaultThreadFactory("egress", true), transport.ioHandlers());
    dialer = new ServerDialer(transport, options, tls);
    upstream =
        Upstream.builder(this::open).pinned(true).windowBytes(EgressOptions.WINDOW_BYTES).build();
    probe = new ServerProbe(dialer, loops.next(), options, counters, this::onServer);
    try {
      server =
          UpstreamServer.start(
              upstream,
              guarded(NettyServerBuilder.forAddress(listen))
                  .bossEventLoopGroup(loops)
                  .workerEventLoopGroup(loops)
                  .channelFactory(() -> transport.servers().open(listen.getAddress()))
                  .flowControlWindow(FLOW_CONTROL_WINDOW_BYTES)
                  .maxInboundMessageSize(INBOUND_MESSAGE_BYTES_MAX)
                  .permitKeepAliveTime(KEEP_ALIVE_MIN_MS, TimeUnit.MILLISECONDS)
                  .permitKeepAliveWithoutCalls(true));
    } catch (IOException e) {
      end();
      throw e;
    }
    this.listen = new InetSocketAddress(listen.getAddress(), server.port());
  }

  /**
   * Starts an egress. Port 0 picks a free port. Health is NOT_SERVING until the server was reached.
   *
   * @throws IOException if the address cannot be bound; the message says which
   * @throws TlsFileException if a file for TLS to the server cannot be used
   */
  public static EgressServer start(InetSocketAddress listen, EgressOptions options, EventLog log)
      throws IOException, TlsFileException {
    EgressServer started = new EgressServer(listen, options, log);
    started.startProbing();
    return started;
  }

  private @Nullable UpstreamTls serverTls(EgressOptions wanted) throws TlsFileException {
    if (wanted.serverTls().isEmpty()) {
      return null;
    }
    UpstreamTls opened = UpstreamTls.open(wanted.serverTls().get(), Instant::now, new OfFiles());
    tlsWatch.add(opened);
    return opened;
  }

  private NettyServerBuilder guarded(NettyServerBuilder builder) {
    SslContext attachTls = options.attachTls();
    return attachTls == null ? NettyGuard.guard(builder) : NettyGuard.guard(builder, attachTls);
  }

  private void startProbing() {
    if (tls != null) {
      tlsWatch.start();
    }
    if (options.probeInterval().isZero()) {
      serverProblem = Optional.empty();
      probed.countDown();
    } else {
      server.setServing(false);
      probe.start();
    }
  }

  private ConnectionHandler open(UpstreamConnection client) {
    if (counters.open.incrementAndGet() > options.connectionsMax()) {
      counters.open.decrementAndGet();
      counters.refused.increment();
      client.close(CloseReason.BUSY);
      return new RefusedConnection();
    }
    ServerConnection connection =
        new ServerConnection(
            client,
            loop(),
            counters,
            new OfConnection(),
            options.sendsProxyHeader(),
            options.missingCloseNotify());
    connection.dial(dialer);
    return connection;
  }

  /** The loop of the lane, so that bytes do not change threads; any other elsewhere. */
  private EventLoop loop() {
    for (EventExecutor each : loops) {
      if (each.inEventLoop()) {
        return (EventLoop) each;
      }
    }
    return loops.next();
  }

  private synchronized void onServer(@Nullable Throwable cause) {
    boolean wasUp = isServerUp();
    serverProblem = Optional.ofNullable(cause).map(SystemErrors::reason);
    if (probed.getCount() > 0 || isServerUp() != wasUp) {
      onServerChanged(serverProblem);
      probed.countDown();
    }
  }

  private void onServerChanged(Optional<String> problem) {
    if (!isDraining) {
      server.setServing(problem.isEmpty());
    }
    String to = options.server().text();
    if (problem.isEmpty()) {
      log.write(Event.SERVER_REACHED, "server", to);
    } else {
      log.write(Event.SERVER_UNREACHED, "server", to, "cause", problem.get());
    }
  }

  /** The bound address, with the real port in place of 0. */
  public InetSocketAddress address() {
    return listen;
  }

  /**
   * Waits until the first probe is over.
   *
   * @return whether the server was reached
   */
  public boolean awaitProbe() throws InterruptedException {
    probed.await();
    return isServerUp();
  }

  /** Whether the last probe reached the server. */
  public boolean isServerUp() {
    return serverProblem.isEmpty();
  }

  /** Why the last probe did not reach the server; empty if it did. */
  public Optional<String> serverProblem() {
    return serverProblem;
  }

  /**
   * Reports NOT_SERVING, and asks the bridges for no new connections. Those that are open go on:
   * nobody else could.
   */
  public synchronized void drain() {
    isDraining = true;
    server.setServing(false);
    upstream.drain();
  }

  /** The currently attached connections. */
  public List<UpstreamConnection> connections() {
    return upstream.connections();
  }

  /** The number of currently attached connections. */
  public int connectionCount() {
    return upstream.connectionCount();
  }

  /** Registers the egress's metrics. */
  public void register(Metrics metrics) {
    counters.register(metrics, options.connectionsMax());
    metrics.gauge(
        "waymark_egress_server_up",
        "1 if the last health probe reached the server, else 0.",
        () -> isServerUp() ? 1L : 0L);
  }

  /** Ends all lanes, and with them all connections. Takes about a second at most. */
  @Override
  public void close() {
    server.close();
    end();
  }

  private void end() {
    dialer.close();
    tlsWatch.close();
    loops.shutdownGracefully(0, STOP_TIMEOUT_MS, TimeUnit.MILLISECONDS);
  }

  /** What becomes of the files for TLS to the server. Connections that are open keep theirs. */
  private final class OfFiles implements UpstreamTls.Events {
    @Override
    public void onUpstreamFilesLoaded(String name, List<OwnCertificate> certificates) {
      List<Object> line = new ArrayList<>(List.of("server", options.server().text()));
      line.addAll(OwnCertificate.logged(certificates));
      log.write(Event.TLS_FILES_LOADED, line.toArray());
      probe.probeNow();
    }

    @Override
    public void onUpstreamFilesRefused(String name, String problem) {
      log.write(Event.TLS_FILES_REFUSED, "server", options.server().text(), "problem", problem);
    }
  }

  /** What a connection tells its egress. */
  private final class OfConnection implements ServerConnection.Host {
    @Override
    public void onDialFailed(UpstreamConnection client, Throwable cause) {
      log.write(
          Event.SERVER_UNREACHED,
          "server",
          options.server().text(),
          "mark",
          client.mark(),
          "cause",
          SystemErrors.reason(cause));
      probe.probeNow();
    }

    @Override
    public void onTlsFailed(UpstreamConnection client, String problem) {
      onDialFailed(client, new IOException(problem));
    }

    @Override
    public void onEnd() {
      counters.open.decrementAndGet();
    }
  }
}
