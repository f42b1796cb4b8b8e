package dev.waymark.upstream;

import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A complete gRPC server for an {@link Upstream}, with the health service that bridges watch and a
 * shutdown that clients do not notice. Thread-safe.
 *
 * <pre>{@code
 * UpstreamServer.start(upstream, ServerBuilder.forPort(4770))
 *     .drainOnShutdown(Duration.ofSeconds(20))
 *     .awaitTermination();
 * }</pre>
 */
public final class UpstreamServer implements AutoCloseable {
  private static final String SERVICE = "waymark.v1.Upstream";
  private static final long POLL_MS = 20;

  /** Time for what lanes still send. Health Watches never end by themselves. */
  private static final long STOP_GRACE_MS = 100;

  private static final long STOP_TIMEOUT_MS = 1_000;
  private static final Logger log = LoggerFactory.getLogger(UpstreamServer.class);

  private final Upstream upstream;
  private final HealthStatusManager health = new HealthStatusManager();
  private final Server server;

  private UpstreamServer(Upstream upstream, ServerBuilder<?> builder) {
    this.upstream = upstream;
    setServing(true);
    server =
        builder
            .directExecutor()
            .addService(upstream.service())
            .addService(health.getHealthService())
            .build();
  }

  /**
   * Starts a server with Attach and grpc.health.v1, SERVING from the start.
   *
   * @param builder a builder of any transport, with the address and other settings; you may add
   *     your own services
   * @throws IOException if the address cannot be bound
   */
  public static UpstreamServer start(Upstream upstream, ServerBuilder<?> builder)
      throws IOException {
    UpstreamServer started = new UpstreamServer(upstream, builder);
    started.server.start();
    return started;
  }

  /**
   * Drains and closes the server when the JVM is asked to shut down (SIGTERM, Ctrl-C). The process
   * then exits with the JVM's code for the signal, such as 143.
   *
   * @param timeout how long draining may take; choose less than the time after which the process is
   *     killed, such as Kubernetes' terminationGracePeriodSeconds
   */
  public UpstreamServer drainOnShutdown(Duration timeout) {
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(timeout), "upstream-drain"));
    return this;
  }

  /**
   * Asks the bridges to move every connection to another upstream, and keeps serving until they
   * have. Connections stay if there is no other upstream.
   *
   * @param timeout how long to wait at most
   * @return the number of connections still attached
   */
  public int drain(Duration timeout) throws InterruptedException {
    setServing(false);
    upstream.drain();
    for (long leftMs = timeout.toMillis(); leftMs > 0; leftMs -= POLL_MS) {
      if (upstream.connectionCount() == 0
          || server.awaitTermination(POLL_MS, TimeUnit.MILLISECONDS)) {
        break;
      }
    }
    return upstream.connectionCount();
  }

  /** Sets the health status. Bridges move connections away from an upstream that is NOT_SERVING. */
  public void setServing(boolean isServing) {
    ServingStatus status = isServing ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
    health.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, status);
    health.setStatus(SERVICE, status);
  }

  /** The port of the server's first address, or -1 if the address has no port. */
  public int port() {
    return server.getPort();
  }

  /** Waits until the server has terminated. */
  public void awaitTermination() throws InterruptedException {
    server.awaitTermination();
  }

  /**
   * Ends all lanes. The bridges give connections that are still attached to other upstreams and
   * send them again what was not consumed. Takes about a second at most; may be called repeatedly.
   */
  @Override
  public void close() {
    health.enterTerminalState();
    server.shutdown();
    upstream.endLanes();
    try {
      if (!server.awaitTermination(STOP_GRACE_MS, TimeUnit.MILLISECONDS)) {
        server.shutdownNow();
        server.awaitTermination(STOP_TIMEOUT_MS, TimeUnit.MILLISECONDS);
      }
    } catch (InterruptedException e) {
      server.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }

  private void stop(Duration timeout) {
    try {
      int left = drain(timeout);
      if (left > 0) {
        log.warn(
            "{} connections were not moved within {} s; bridges will replay them to other"
                + " upstreams",
            left,
            timeout.toSeconds());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    close();
  }
}
