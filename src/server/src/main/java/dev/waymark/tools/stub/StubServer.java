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
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.netty.buffer.Unpooled;
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

/** A running stub: Attach, health and reflection on one or more addresses. Thread-safe. */
public final class StubServer implements AutoCloseable {
  private static final int FLOW_CONTROL_WINDOW_BYTES = 4 * 1024 * 1024;
  private static final int INBOUND_MESSAGE_BYTES_MAX = 4 * 1024 * 1024;

  /** Lanes never end by themselves; this is for answers that are under way. */
  private static final long STOP_GRACE_MS = 100;

  private static final long STOP_TIMEOUT_MS = 1_000;
  private static final long KEEP_ALIVE_MIN_MS = 1_000;
  private static final String SERVICE = "waymark.v1.Upstream";

  private static final Logger log = LoggerFactory.getLogger(StubServer.class);
  private static final int CRASHED = 1;

  /**
   * What happened since the start.
   *
   * @param opens attachments, re-opened ones included, refused ones not
   * @param reopens of these, those that another upstream, or this one, had before
   * @param replayedOpens of these, those after a broken lane or a stall: what was unconsumed comes
   *     again
   * @param refused attachments that were refused as {@link #refuse} says
   * @param released attachments that were handed over
   * @param fenced attachments that ended because another owner was given the connection
   * @param requests messages, or pieces of data where nothing depends on messages
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

  /** One for each address. */
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
            .delivery(options.isByMessage() ? Delivery.MESSAGES : Delivery.BYTES);
    announced = options.isAnnouncing() ? new AnnouncedMarks() : null;
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
   * Listens on these addresses, of which there is at least one; port 0 takes a free one. A rule
   * that crashes halts the process.
   *
   * @throws IOException if one of them cannot be bound; its message says which
   */
  public static StubServer start(List<InetSocketAddress> addresses, StubOptions options)
      throws IOException {
    return start(addresses, options, () -> {});
  }

  /**
   * As above.
   *
   * @param lastWords called before the process is halted, so that what was logged gets out
   */
  public static StubServer start(
      List<InetSocketAddress> addresses, StubOptions options, Runnable lastWords)
      throws IOException {
    return start(addresses, options, (String why) -> halt(why, lastWords));
  }

  /** As above; {@code crash} is what a rule that crashes calls, with the reason. */
  static StubServer start(
      List<InetSocketAddress> addresses, StubOptions options, Consumer<String> crash)
      throws IOException {
    return new StubServer(addresses, options, crash);
  }

  private static void halt(String why, Runnable lastWords) {
    log.error("crash: {}", why);
    lastWords.run();
    Runtime.getRuntime().halt(CRASHED);
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
    return options.isLoggingFrames()
        ? new FrameLog(connection, unlogged(new LoggedConnection(connection)))
        : unlogged(connection);
  }

  private ConnectionHandler unlogged(UpstreamConnection connection) {
    boolean isPlainEcho = !options.isByMessage() && options.delay().isZero();
    return isPlainEcho
        ? new EchoHandler(connection)
        : new ScriptedHandler(connection, options, delays.newLine(), name(), crash);
  }

  private Server server(InetSocketAddress address) {
    return NettyGuard.guard(sockets.serverOn(address))
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

  /** What the stub calls itself in replies: its name, or its first address. */
  public String name() {
    if (options.name() != null) {
      return options.name();
    }
    return servers.getFirst().getListenSockets().getFirst() instanceof InetSocketAddress first
        ? first.getAddress().getHostAddress() + ":" + first.getPort()
        : "stub";
  }

  /** With what every new connection is refused from now on; null: none is. */
  public void refuse(@Nullable CloseReason reason) {
    refusal = reason;
  }

  /** What happened so far. */
  public Stats stats() {
    return stats.now();
  }

  /** Where it listens, in the order asked for; ports are real where 0 was asked for. */
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

  /** What the health service says from now on. */
  public void setServing(boolean isServing) {
    ServingStatus status = isServing ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
    health.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, status);
    health.setStatus(SERVICE, status);
  }

  /** Asks all bridges to give this stub no new connections; everything else goes on. */
  public void drain() {
    upstream.drain();
  }

  /** The connections attached now. */
  public List<UpstreamConnection> connections() {
    return upstream.connections();
  }

  /** The connection with this mark, or null. */
  public @Nullable UpstreamConnection connection(String mark) {
    return upstream.connection(mark);
  }

  /**
   * Pushes bytes to a client, whoever owns its connection.
   *
   * @param epoch the only one in which they are to be written; null: any
   * @throws IllegalArgumentException if they are too many
   */
  public CompletionStage<PushAnswer> push(String mark, byte[] bytes, @Nullable Integer epoch) {
    return epoch == null
        ? upstream.push(mark, Unpooled.wrappedBuffer(bytes))
        : upstream.push(mark, Unpooled.wrappedBuffer(bytes), epoch);
  }

  /** What was announced; null without {@link StubOptions#isAnnouncing}. */
  public @Nullable AnnouncedMarks announced() {
    return announced;
  }

  /** Says NOT_SERVING, then ends all lanes. Waits at most about a second; may be called again. */
  @Override
  public void close() {
    health.enterTerminalState();
    servers.forEach(Server::shutdown);
    try {
      if (!haveEnded(STOP_GRACE_MS)) {
        servers.forEach(Server::shutdownNow);
        haveEnded(STOP_TIMEOUT_MS);
      }
    } catch (InterruptedException e) {
      servers.forEach(Server::shutdownNow);
      Thread.currentThread().interrupt();
    }
    end();
  }

  private boolean haveEnded(long timeoutMs) throws InterruptedException {
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
