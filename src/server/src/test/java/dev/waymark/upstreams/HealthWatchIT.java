package dev.waymark.upstreams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.waymark.engine.pool.PoolSnapshot;
import dev.waymark.testing.RawServer;
import io.grpc.Attributes;
import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.ServerTransportFilter;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Health against a real gRPC server. */
class HealthWatchIT {
  private final HealthStatusManager health = new HealthStatusManager();
  private @Nullable Server server;
  private int port;

  @AfterEach
  void stop() throws InterruptedException {
    if (server != null) {
      server.shutdownNow().awaitTermination();
    }
  }

  @Test
  void status_changes_areFollowed() throws IOException {
    String upstream = start(0, health.getHealthService());
    try (var pool = pool(upstream, "")) {
      pool.awaitHealths(upstream + " SERVING +");
      health.setStatus("", ServingStatus.NOT_SERVING);
      pool.awaitHealths(upstream + " NOT_SERVING -");
      health.setStatus("", ServingStatus.UNKNOWN);
      pool.awaitHealths(upstream + " UNKNOWN -");
      health.setStatus("", ServingStatus.SERVING);
      pool.awaitHealths(upstream + " SERVING +");
      assertThat(pool.snapshots.stream().map(PoolSnapshot::version))
          .containsExactly(1L, 2L, 3L, 4L, 5L);
      assertThat(pool.events).contains("health " + upstream + " SERVING NOT_SERVING");
    }
  }

  @Test
  void service_unknown_doesNotServeUntilItExists() throws IOException {
    String upstream = start(0, health.getHealthService());
    try (var pool = pool(upstream, "game")) {
      pool.awaitHealths(upstream + " SERVICE_UNKNOWN -");
      health.setStatus("game", ServingStatus.SERVING);
      pool.awaitHealths(upstream + " SERVING +");
    }
  }

  @Test
  void server_stoppedAndStartedOnItsPort_isFoundAgain() throws Exception {
    String upstream = start(0, health.getHealthService());
    int before = port;
    try (var pool = pool(upstream, "")) {
      pool.awaitHealths(upstream + " SERVING +");
      stop();
      pool.awaitHealths(upstream + " UNREACHABLE -");
      await()
          .until(() ->
              pool.events.stream().filter(e -> e.startsWith("broken " + upstream)).count() >= 3);
      start(before, health.getHealthService());
      pool.awaitHealths(upstream + " SERVING +");
    }
  }

  /** Lanes have their own back-off, and may reach the upstream first. */
  @Test
  void server_thatAcceptsALane_isRetriedAtOnce() throws Exception {
    String upstream = start(0, health.getHealthService());
    int before = port;
    Consumer<Fixtures> patient =
        p -> {
          p.target = Fixtures.fixed(upstream);
          p.healthRetryMin = Duration.ofHours(1);
          p.healthRetryMax = Duration.ofHours(1);
        };
    try (var pool = new RecordedPool(patient)) {
      pool.awaitHealths(upstream + " SERVING +");
      stop();
      pool.awaitHealths(upstream + " UNREACHABLE -");
      start(before, health.getHealthService());
      pool.manager.onLaneAccepted(upstream);
      pool.awaitHealths(upstream + " SERVING +");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void server_thatEndsConnectionsByAge_staysWhatItWas(boolean hasHealthService) throws Exception {
    var connections = new AtomicInteger();
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .maxConnectionAge(1_500, TimeUnit.MILLISECONDS)
            .maxConnectionAgeGrace(100, TimeUnit.MILLISECONDS)
            .addTransportFilter(
                new ServerTransportFilter() {
                  @Override
                  public Attributes transportReady(Attributes attributes) {
                    connections.incrementAndGet();
                    return attributes;
                  }
                })
            .addServices(
                hasHealthService ? List.of(health.getHealthService().bindService()) : List.of())
            .build()
            .start();
    String upstream = "127.0.0.1:" + server.getPort();
    try (var pool = pool(upstream, "")) {
      await().atMost(Duration.ofSeconds(20)).until(() -> connections.get() >= 3);
      assertThat(pool.events).noneMatch(event -> event.contains("UNREACHABLE"));
      assertThat(pool.events).noneMatch(event -> event.startsWith("broken"));
      server.shutdownNow();
      pool.awaitHealths(upstream + " UNREACHABLE -");
    }
  }

  @Test
  void server_withoutHealthService_isServingWhileItsTransportIsUp() throws Exception {
    String upstream = start(0);
    int before = port;
    try (var pool = pool(upstream, "")) {
      pool.awaitHealths(upstream + " UNIMPLEMENTED +");
      stop();
      pool.awaitHealths(upstream + " UNREACHABLE -");
      start(before);
      pool.awaitHealths(upstream + " UNIMPLEMENTED +");
    }
  }

  @Test
  void server_thatStartsLate_isFound() throws Exception {
    int late;
    try (var free = new ServerSocket(0)) {
      late = free.getLocalPort();
    }
    String upstream = "127.0.0.1:" + late;
    try (var pool = pool(upstream, "")) {
      pool.awaitHealths(upstream + " UNREACHABLE -");
      start(late, health.getHealthService());
      pool.awaitHealths(upstream + " SERVING +");
    }
  }

  @Test
  void unixSocket_isWatched(@TempDir Path folder) throws Exception {
    Path socket = folder.resolve("a.sock");
    var group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    server =
        NettyServerBuilder.forAddress(UnixDomainSocketAddress.of(socket))
            .channelType(NioServerDomainSocketChannel.class)
            .bossEventLoopGroup(group)
            .workerEventLoopGroup(group)
            .addService(health.getHealthService())
            .build()
            .start();
    try (var pool = pool("unix:" + socket, "")) {
      pool.awaitHealths("unix:" + socket + " SERVING +");
    } finally {
      stop();
      group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }
  }

  @Test
  void health_thatFlaps_isNotFollowedButEjected() throws Exception {
    String flapping = start(0, health.getHealthService());
    try (var steady = new HealthServer(ServingStatus.SERVING);
        var pool = new RecordedPool(p -> p.target = Fixtures.fixed(flapping, steady.address()))) {
      pool.awaitStates(flapping + " SERVING", steady.address() + " SERVING");
      for (int i = 0; i < 1_000; i++) {
        health.setStatus("", i % 2 == 0 ? ServingStatus.NOT_SERVING : ServingStatus.SERVING);
      }
      pool.awaitEvent(
          "broken "
              + flapping
              + " the health service changed its status more than 10 times within 10 s");
      pool.awaitStates(flapping + " EJECTED", steady.address() + " SERVING");
      assertThat(pool.snapshots.size()).isLessThan(30);
      assertThat(pool.events).contains("ejected " + flapping + " HEALTH_FLOOD");
    }
  }

  @Test
  void peer_thatFloodsTheWatch_isReportedAsUnreachableWithTheReason() throws Exception {
    try (var flooder = RawServer.start(RawServer.Connection::flood);
        var pool = pool(flooder.address(), "")) {
      pool.awaitEvent("broken " + flooder.address() + " HTTP/2 flood: the upstream sent");
      pool.awaitHealths(flooder.address() + " UNREACHABLE -");
    }
  }

  private String start(int wantedPort, BindableService... services) throws IOException {
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), wantedPort));
    for (BindableService service : services) {
      builder.addService(service);
    }
    Server started = builder.build().start();
    server = started;
    port = started.getPort();
    return "127.0.0.1:" + port;
  }

  private static RecordedPool pool(String upstream, String service) {
    return new RecordedPool(p -> {
      p.target = Fixtures.fixed(upstream);
      p.healthService = service;
      p.healthRetryMax = Duration.ofMillis(100);
    });
  }
}
