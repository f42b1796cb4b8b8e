package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import io.grpc.Server;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which upstreams of a pool get connections, and how many. */
final class SubsetsIT {
  private static final int CLIENTS = 400;

  @Test
  void canary_getsItsPercentOverAllShards(@TempDir Path folder) throws IOException {
    try (Stub stable = Stub.start();
        Stub canary = Stub.start();
        Bridge bridge =
            Bridge.configured(
                Files.writeString(
                    folder.resolve("waymark.yml"),
                    """
                    listeners: [{address: "127.0.0.1:0"}]
                    shards: 3
                    pools:
                      - upstreams:
                          - {address: "%s"}
                          - {address: "%s", labels: {version: next}}
                        subsets: [{share-percent: 5, labels: {version: next}}]
                        rebalance: off
                    """
                        .formatted(stable.address(), canary.address())))) {
      await().until(() -> bridge.admin().metric("waymark_lanes_open") == 6);
      List<Client> clients = Clients.connect(CLIENTS, bridge.port());
      await().until(() -> bridge.admin().metric("waymark_upstream_connections") == CLIENTS);
      assertThat(bridge.admin().metric("waymark_upstream_connections", canary.address()))
          .isCloseTo(CLIENTS * 5 / 100, within(1L));
      Clients.close(clients);
    }
  }

  @Test
  void upstream_thatServesByItsOwnAccountOnly_isEjected(@TempDir Path folder) throws IOException {
    HealthStatusManager health = new HealthStatusManager();
    health.setStatus("", ServingStatus.SERVING);
    Server liar =
        NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
            .addService(health.getHealthService())
            .build()
            .start();
    String address = "127.0.0.1:" + liar.getPort();
    try (Stub honest = Stub.start();
        Bridge bridge =
            Bridge.configured(
                Files.writeString(
                    folder.resolve("waymark.yml"),
                    """
                    listeners: [{address: "127.0.0.1:0"}]
                    pools:
                      - upstreams: [{address: "%s"}, {address: "%s"}]
                        ejection-suspicions: 3
                    """
                        .formatted(honest.address(), address)))) {
      await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> bridge.admin().metric("waymark_upstream_ejected", address) == 1);
      assertThat(bridge.admin().metric("waymark_upstream_ejections_total")).isEqualTo(1);
      assertThat(bridge.admin().metric("waymark_pool_upstreams_serving")).isEqualTo(1);
      assertThat(bridge.admin().get("/upstreams")).contains("\"standing\": \"ejected\"");
      bridge.process().awaitLineWith(" upstream-ejected ", " upstream=" + address + " ");
    } finally {
      liar.shutdownNow();
    }
  }
}
