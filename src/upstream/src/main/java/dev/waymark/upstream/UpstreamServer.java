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
 * An {@link Upstream} on a server of its own, as in production: with the health service that
 * bridges watch, and a shutdown that clients do not notice. Thread-safe.
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

  /** For what is in flight; lanes never end by themselves. */
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
   * Serves Attach and grpc.health.v1, SERVING from the start.
   *
   * @param builder of any transport, with the address and whatever else you want of the server; you
   *     may add services of your own
   * @throws IOException if the address cannot be bound
   */
  public static UpstreamServer start(Upstream upstream, ServerBuilder<?> builder)
      throws IOException {
    UpstreamServer started = new UpstreamServer(upstream, builder);
    started.server.start();
    return started;
  }

  /**
   * Drains and closes when the JVM is asked to shut down (SIGTERM, Ctrl-C). The process then exits
   * with the JVM's own code for the signal, such as 143.
   *
   * @param patience how long draining may take; less than the time after which the process is
   *     killed, such as Kubernetes' terminationGracePeriodSeconds
   */
  public UpstreamServer drainOnShutdown(Duration patience) {
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(patience), "upstream-drain"));
    return this;
  }

  /**
   * Asks the bridges to move every connection to another upstream, and serves on until they have.
   * Connections stay if there is no other upstream.
   *
   * @param patience how long to wait at most
   * @return how many connections are still attached
   */
  public int drain(Duration patience) throws InterruptedException {
    setServing(false);
    upstream.drain();
    for (long leftMs = patience.toMillis(); leftMs > 0; leftMs -= POLL_MS) {
      if (upstream.connectionCount() == 0
          || server.awaitTermination(POLL_MS, TimeUnit.MILLISECONDS)) {
        break;
      }
    }
    return upstream.connectionCount();
  }

  /** Sets what the health service says: bridges move connections away from NOT_SERVING. */
  public void setServing(boolean isServing) {
    ServingStatus status = isServing ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
    health.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, status);
    health.setStatus(SERVICE, status);
  }

  /** The port of its first address; -1 if that has none. */
  public int port() {
    return server.getPort();
  }

  /** Waits until it is closed. */
  public void awaitTermination() throws InterruptedException {
    server.awaitTermination();
  }

  /**
   * Ends all lanes. The bridges give connections that are still attached to other upstreams, and
   * send these what was not consumed again. Takes about a second at most; may be called again.
   */
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
  }

  private void stop(Duration patience) {
    try {
      int left = drain(patience);
      if (left > 0) {
        log.warn(
            "{} connections were not moved within {} s; the bridge replays them to the next upstream",
            left,
            patience.toSeconds());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    close();
  }
}
