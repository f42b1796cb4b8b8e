package dev.waymark.tools.stub;

import dev.waymark.protocol.CloseReason;
import dev.waymark.upstream.ConnectionHandler;
import dev.waymark.upstream.Delivery;
import dev.waymark.upstream.NettyGuard;
import dev.waymark.upstream.PushAnswer;
import dev.waymark.upstream.Upstream;
import dev.waymark.upstream.UpstreamConnection;
import io.grpc.Server;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.netty.buffer.Unpooled;
import io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A running stub: serves Attach, health and reflection on one or more addresses. Thread-safe. */
public final class StubServer implements AutoCloseable {
  private static final int FLOW_CONTROL_WINDOW_BYTES = 4 * 1024 * 1024;
  private static final int INBOUND_MESSAGE_BYTES_MAX = 4 * 1024 * 1024;

  /** Time for what lanes still send. Health Watches never end by themselves. */
  private static final long STOP_GRACE_MS = 100;

  private static final long STOP_TIMEOUT_MS = 1_000;
  private static final long KEEP_ALIVE_MIN_MS = 1_000;
  private static final String SERVICE = "waymark.v1.Upstream";

  private static final Logger log = LoggerFactory.getLogger(StubServer.class);
  private static final int EXIT_CRASHED = 1;

  /**
   * Counts since the start.
   *
   * @param opens attachments, including re-opened ones, excluding refused ones
   * @param reopens how many of these had an owner before, perhaps this stub
   * @param replayedOpens how many of the re-opened ones followed a broken lane or a stall, after
   *     which unconsumed bytes are replayed
   * @param refused attachments refused because of {@link #refuse}
   * @param released attachments that were handed over
   * @param fenced attachments that ended because another owner was given the connection
   * @param requests messages, or chunks of data if the answers do not depend on messages
   */
  public record Stats(
      long opens,
      long reopens,
      long replayedOpens,
      long refused,
      long released,
      long fenced,
      long requests) {}

  private final StubOptions options;
  private final StubStats stats = new StubStats();
  private final Consumer<String> crash;
  private final Delays delays;
  private volatile @Nullable CloseReason refusal;
  private final Upstream upstream;
  private final @Nullable AnnouncedMarks announced;
  private final HealthStatusManager health = new HealthStatusManager();
  private final ScheduledExecutorService scheduler;
  private final StubSockets sockets = new StubSockets();

  /** One server per address. */
  private final List<Server> servers;

  private StubServer(List<InetSocketAddress> addresses, StubOptions options, Consumer<String> crash)
      throws IOException {
    this.options = options;
    this.crash = crash;
    this.refusal = options.refusal();
    scheduler =
        Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("stub-delay").factory());
    delays = new Delays(scheduler, System::nanoTime);
    Upstream.Builder builder =
        Upstream.builder(this::open)
            .acknowledge(options.acknowledge())
            .delivery(options.needsMessages() ? Delivery.MESSAGES : Delivery.BYTES);
    announced = options.wantsAnnouncements() ? new AnnouncedMarks() : null;
    upstream = (announced == null ? builder : builder.announcements(announced)).build();
    setServing(true);
    servers = addresses.stream().map(this::server).toList();
    try {
      for (Server server : servers) {
        server.start();
      }
    } catch (IOException e) {
      servers.forEach(Server::shutdownNow);
      end();
      throw e;
    }
  }

  /**
   * Starts a stub on these addresses, at least one. Port 0 picks a free port. A rule with {@code
   * crash} halts the process.
   *
   * @throws IOException if an address cannot be bound; the message says which
   */
  public static StubServer start(List<InetSocketAddress> addresses, StubOptions options)
      throws IOException {
    return start(addresses, options, () -> {});
  }

  /**
   * As {@link #start(List, StubOptions)}.
   *
   * @param beforeHalt called before the process is halted, to flush the log
   */
  public static StubServer start(
      List<InetSocketAddress> addresses, StubOptions options, Runnable beforeHalt)
      throws IOException {
    return start(addresses, options, (String why) -> halt(why, beforeHalt));
  }

  /**
   * As {@link #start(List, StubOptions)}. Rules with {@code crash} call {@code crash} with the
   * reason.
   */
  static StubServer start(
      List<InetSocketAddress> addresses, StubOptions options, Consumer<String> crash)
      throws IOException {
    return new StubServer(addresses, options, crash);
  }

  private static void halt(String why, Runnable beforeHalt) {
    log.error("crash: {}", why);
    beforeHalt.run();
    Runtime.getRuntime().halt(EXIT_CRASHED);
  }

  private ConnectionHandler open(UpstreamConnection connection) {
    CloseReason reason = refusal;
    if (reason != null) {
      stats.onRefused();
      connection.close(reason);
      return new RefusingHandler();
    }
    stats.onOpen(connection.open().resumeState());
    return new CountedHandler(handler(connection), stats);
  }

  private ConnectionHandler handler(UpstreamConnection connection) {
    return options.logsFrames()
        ? new FrameLog(connection, innerHandler(new LoggedConnection(connection)))
        : innerHandler(connection);
  }

  private ConnectionHandler innerHandler(UpstreamConnection connection) {
    boolean isPlainEcho = !options.needsMessages() && options.delay().isZero();
    return isPlainEcho
        ? new EchoHandler(connection)
        : new ScriptedHandler(connection, options, delays.newQueue(), name(), crash);
  }

  private Server server(InetSocketAddress address) {
    SslContext tls = options.tls();
    NettyServerBuilder builder = sockets.serverOn(address);
    return (tls == null ? NettyGuard.guard(builder) : NettyGuard.guard(builder, tls))
        .directExecutor()
        .flowControlWindow(FLOW_CONTROL_WINDOW_BYTES)
        .maxInboundMessageSize(INBOUND_MESSAGE_BYTES_MAX)
        .permitKeepAliveTime(KEEP_ALIVE_MIN_MS, TimeUnit.MILLISECONDS)
        .permitKeepAliveWithoutCalls(true)
        .addService(upstream.service())
        .addService(health.getHealthService())
        .addService(ProtoReflectionServiceV1.newInstance())
        .build();
  }

  /** The name that the stub uses in replies: the configured one, or its first address. */
  public String name() {
    if (options.name() != null) {
      return options.name();
    }
    return servers.getFirst().getListenSockets().getFirst() instanceof InetSocketAddress first
        ? first.getAddress().getHostAddress() + ":" + first.getPort()
        : "stub";
  }

  /** Refuses every new connection with this reason from now on; null stops refusing. */
  public void refuse(@Nullable CloseReason reason) {
    refusal = reason;
  }

  /** Returns the counts so far. */
  public Stats stats() {
    return stats.now();
  }

  /** The bound addresses, in the order given, with the real ports in place of 0. */
  public List<InetSocketAddress> addresses() {
    return servers.stream()
        .flatMap(server -> server.getListenSockets().stream())
        .map(InetSocketAddress.class::cast)
        .toList();
  }

  /** The port of the first address. */
  public int port() {
    return servers.getFirst().getPort();
  }

  /** Sets what the health service reports. */
  public void setServing(boolean isServing) {
    ServingStatus status = isServing ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
    health.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, status);
    health.setStatus(SERVICE, status);
  }

  /** Asks all bridges to give this stub no new connections. Everything else continues. */
  public void drain() {
    upstream.drain();
  }

  /** The currently attached connections. */
  public List<UpstreamConnection> connections() {
    return upstream.connections();
  }

  /** The connection with this mark, or null if it is not attached. */
  public @Nullable UpstreamConnection connection(String mark) {
    return upstream.connection(mark);
  }

  /**
   * Pushes bytes to a client, whichever upstream owns its connection.
   *
   * @param epoch the only epoch in which the bytes may be written; null for any
   * @throws IllegalArgumentException if there are too many bytes
   */
  public CompletionStage<PushAnswer> push(String mark, byte[] bytes, @Nullable Integer epoch) {
    return epoch == null
        ? upstream.push(mark, Unpooled.wrappedBuffer(bytes))
        : upstream.push(mark, Unpooled.wrappedBuffer(bytes), epoch);
  }

  /** The announced connections; null without {@link StubOptions#wantsAnnouncements}. */
  public @Nullable AnnouncedMarks announced() {
    return announced;
  }

  /**
   * Reports NOT_SERVING, then ends all lanes. Takes about a second at most; may be called
   * repeatedly.
   */
  @Override
  public void close() {
    health.enterTerminalState();
    servers.forEach(Server::shutdown);
    upstream.endLanes();
    try {
      if (!awaitTermination(STOP_GRACE_MS)) {
        servers.forEach(Server::shutdownNow);
        awaitTermination(STOP_TIMEOUT_MS);
      }
    } catch (InterruptedException e) {
      servers.forEach(Server::shutdownNow);
      Thread.currentThread().interrupt();
    }
    end();
  }

  private boolean awaitTermination(long timeoutMs) throws InterruptedException {
    for (Server server : servers) {
      if (!server.awaitTermination(timeoutMs, TimeUnit.MILLISECONDS)) {
        return false;
      }
    }
    return true;
  }

  private void end() {
    scheduler.shutdownNow();
    sockets.close();
  }
}
