package dev.waymark.bridge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import dev.waymark.api.PoolStatus;
import dev.waymark.api.UpstreamStatus;
import dev.waymark.config.ConfigLoader;
import dev.waymark.config.LoadedConfig;
import dev.waymark.telemetry.EventLog;
import dev.waymark.tools.stub.StubOptions;
import dev.waymark.tools.stub.StubServer;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the ready line and the status say about upstreams that do and do not serve. */
final class ReadyLineIT {
  private static final InetSocketAddress ANY =
      new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

  @TempDir private Path folder;

  @Test
  void readyLine_someNotServing_countsThemAndStatusSaysWhy() throws Exception {
    Server bare = NettyServerBuilder.forAddress(ANY).build().start();
    Server other =
        NettyServerBuilder.forAddress(ANY)
            .addService(new HealthStatusManager().getHealthService())
            .build()
            .start();
    try (StubServer stub = StubServer.start(List.of(ANY), StubOptions.ECHO)) {
      String pools =
          "  - {name: none, target: 'static:///127.0.0.1:%d,127.0.0.1:%d'}\n"
                  .formatted(bare.getPort(), other.getPort())
              + "  - {name: some, target: 'static:///localhost:%d,[::1%%no-such0]:1'}\n"
                  .formatted(stub.port())
              + "  - {name: lost, target: 'dns://[::1%no-such0]:53/nobody.test:1'}\n";
      Bridge bridge = start(pools);
      try {
        String advice = "try it: nc 127.0.0.1 " + bridge.ports().get(1).address().getPort();
        // An upstream that is SERVING counts until it has refused its first lane.
        await()
            .untilAsserted(() ->
                assertThat(new ReadyLine(bridge, bridge.inForce()).text())
                    .contains(
                        "with pools none (0 of 2 upstreams serve), some (1 of 2 upstreams serve),"
                            + " lost (no upstream found), admin on ")
                    .endsWith("; " + advice));
        BridgeOperations state = new BridgeOperations(bridge);
        await()
            .untilAsserted(() ->
                assertThat(state.upstreams().toCompletableFuture().join())
                    .extracting(
                        UpstreamStatus::address, UpstreamStatus::isServing, UpstreamStatus::problem)
                    .containsExactlyInAnyOrder(
                        tuple(
                            "127.0.0.1:" + bare.getPort(),
                            false,
                            "speaks gRPC, but has no health service and no Attach method"),
                        tuple(
                            "127.0.0.1:" + other.getPort(),
                            false,
                            "speaks gRPC, but has no Attach method"),
                        tuple("localhost:" + stub.port(), true, ""),
                        tuple(
                            "[::1%no-such0]:1",
                            false,
                            "no route: there is no network interface 'no-such0' on this host")));
        assertThat(state.pools())
            .contains(
                new PoolStatus(
                    "lost",
                    0,
                    0,
                    "dns_failed",
                    "there is no network interface 'no-such0' on this host"));
      } finally {
        bridge.stop();
      }
    } finally {
      bare.shutdownNow();
      other.shutdownNow();
    }
  }

  @Test
  void readyLine_noneServing_suggestsNoPort() throws Exception {
    Bridge bridge =
        start(
            """
              - {name: none, target: 'static:///127.0.0.1:1'}
              - {name: some, target: 'static:///127.0.0.1:1'}
              - {name: lost, target: 'static:///127.0.0.1:1'}
            """);
    try {
      assertThat(new ReadyLine(bridge, bridge.inForce()).text())
          .endsWith(
              "; no upstream is serving yet; see http://" + bridge.adminAddress() + "/upstreams");
    } finally {
      bridge.stop();
    }
  }

  private Bridge start(String pools) throws Exception {
    Path file = folder.resolve("waymark.yml");
    Files.writeString(
        file,
        """
        admin: {address: '127.0.0.1:0'}
        start-timeout: 1s
        listeners:
          - {name: a, address: '127.0.0.1:0', pool: none}
          - {name: b, address: '127.0.0.1:0', pool: some}
          - {name: c, address: '127.0.0.1:0', pool: lost}
        pools:
        """
            + pools);
    LoadedConfig loaded = ConfigLoader.load(Optional.of(file), Map.of(), Map.of());
    Bridge bridge = new Bridge(loaded, Optional.empty(), new EventLog(Clock::nowNs), () -> 0);
    bridge.startAdmin();
    bridge.start(new CountDownLatch(1));
    return bridge;
  }
}
