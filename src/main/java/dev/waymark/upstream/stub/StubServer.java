package dev.waymark.upstream.stub;

import dev.waymark.upstream.Connection;
import dev.waymark.upstream.ConnectionHandler;
import dev.waymark.upstream.Delivery;
import dev.waymark.upstream.PushAnswer;
import dev.waymark.upstream.Upstream;
import io.grpc.Server;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.NettyServerBuilder;
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
import org.jspecify.annotations.Nullable;

/** A running stub: Attach, health and reflection on one or more addresses. Thread-safe. */
public final class StubServer implements AutoCloseable {
  private static final int FLOW_CONTROL_WINDOW_BYTES = 4 * 1024 * 1024;
  private static final int INBOUND_MESSAGE_BYTES_MAX = 4 * 1024 * 1024;

  /** Lanes never end by themselves; this is for answers that are under way. */
  private static final long STOP_GRACE_MS = 100;

  private static final long STOP_TIMEOUT_MS = 1_000;
  private static final long KEEP_ALIVE_MIN_MS = 1_000;
  private static final String SERVICE = "waymark.v1.Upstream";

  private final Upstream upstream;
  private final @Nullable AnnouncedMarks announced;
  private final HealthStatusManager health = new HealthStatusManager();
  private final ScheduledExecutorService scheduler;
  private final Server server;

  private StubServer(List<InetSocketAddress> addresses, StubOptions options) throws IOException {
    scheduler =
        Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("stub-delay").factory());
    Delays delays = new Delays(scheduler, System::nanoTime);
    Upstream.Builder builder =
        Upstream.builder(connection -> handler(connection, options, delays))
            .acknowledge(options.acknowledge())
            .delivery(options.isByMessage() ? Delivery.MESSAGES : Delivery.BYTES);
    announced = options.isAnnouncing() ? new AnnouncedMarks() : null;
    upstream = (announced == null ? builder : builder.announcements(announced)).build();
    setServing(true);
    server = server(addresses);
    try {
      server.start();
    } catch (IOException e) {
      scheduler.shutdownNow();
      throw e;
    }
  }

  /**
   * Listens on these addresses, of which there is at least one; port 0 takes a free one.
   *
   * @throws IOException if one of them cannot be bound; its message says which
   */
  public static StubServer start(List<InetSocketAddress> addresses, StubOptions options)
      throws IOException {
    return new StubServer(addresses, options);
  }

  private static ConnectionHandler handler(
      Connection connection, StubOptions options, Delays delays) {
    return options.isLoggingFrames()
        ? new FrameLog(connection, unlogged(new LoggedConnection(connection), options, delays))
        : unlogged(connection, options, delays);
  }

  private static ConnectionHandler unlogged(
      Connection connection, StubOptions options, Delays delays) {
    boolean isPlainEcho = !options.isByMessage() && options.delay().isZero();
    return isPlainEcho
        ? new EchoHandler(connection)
        : new ScriptedHandler(connection, options, delays.newLine());
  }

  private Server server(List<InetSocketAddress> addresses) {
    NettyServerBuilder builder = NettyServerBuilder.forAddress(addresses.getFirst());
    addresses.stream().skip(1).forEach(builder::addListenAddress);
    return builder
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

  /** The port of the first address. */
  public int port() {
    return server.getPort();
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
  public List<Connection> connections() {
    return upstream.connections();
  }

  /** The connection with this mark, or null. */
  public @Nullable Connection connection(String mark) {
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
    server.shutdown();
    try {
      if (!server.awaitTermination(STOP_GRACE_MS, TimeUnit.MILLISECONDS)) {
        server.shutdownNow();
        server.awaitTermination(STOP_TIMEOUT_MS, TimeUnit.MILLISECONDS);
      }
    } catch (InterruptedException e) {
      server.shutdownNow();
      Thread.currentThread().interrupt();
    }
    scheduler.shutdownNow();
  }
}
