package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.waymark.v1.BridgeBatch;
import dev.waymark.v1.UpstreamBatch;
import dev.waymark.v1.UpstreamGrpc;
import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Subsets and ejection: which upstreams of a pool get connections, and how many. */
final class SubsetsIT {
  private static final int CLIENTS = 400;

  @Test
  void canary_getsItsPercentageOverAllShards(@TempDir Path folder) throws IOException {
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

  /** With a real name server, which alone knows the names in its SRV records. */
  @Test
  void connections_moveToTheBackupAndBack() {
    assumeTrue(Waymark.isOnPath("dnsmasq"), "dnsmasq is not installed");
    try (Stub main = Stub.start();
        Stub backup = Stub.start();
        Dnsmasq dns =
            Dnsmasq.start(
                "--host-record=main.test,127.0.0.1",
                "--host-record=backup.test,127.0.0.1",
                "--srv-host=_echo._tcp.test,main.test," + port(main) + ",10",
                "--srv-host=_echo._tcp.test,backup.test," + port(backup) + ",20");
        Bridge bridge =
            Bridge.start(
                Waymark.Launch::quick, "--upstream=srv://" + dns.address() + "/_echo._tcp.test")) {
      String first = "main.test:" + port(main);
      String second = "backup.test:" + port(backup);
      await().until(() -> bridge.admin().metric("waymark_lanes_open") == 2);
      try (Client client = Client.connect(bridge.port())) {
        client.send(1_000).expect(1_000);
        assertThat(bridge.admin().metric("waymark_upstream_connections", first)).isEqualTo(1);
        assertThat(bridge.admin().get("/upstreams")).contains("\"state\": \"standby\"");
        main.process().kill();
        client.send(1_000).expect(1_000);
        assertThat(bridge.admin().metric("waymark_upstream_connections", second)).isEqualTo(1);
        try (Stub again = Stub.at("127.0.0.1:" + port(main))) {
          await()
              .atMost(Duration.ofSeconds(30))
              .until(() -> bridge.admin().metric("waymark_upstream_connections", first) == 1);
          client.send(1_000).expect(1_000);
          assertThat(again.marks()).hasSize(1);
        }
      }
    }
  }

  private static String port(Stub stub) {
    return stub.address().substring(stub.address().lastIndexOf(':') + 1);
  }

  @Test
  void upstream_servingWhileAttachFails_isEjected(@TempDir Path folder) throws IOException {
    try (Liar liar = Liar.start(new FailingAttach());
        Stub honest = Stub.start();
        Bridge bridge = bridge(folder, honest.address(), liar.address())) {
      await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> bridge.admin().metric("waymark_upstream_ejected", liar.address()) == 1);
      assertThat(bridge.admin().metric("waymark_upstream_ejections_total")).isEqualTo(1);
      assertThat(bridge.admin().metric("waymark_pool_upstreams_serving")).isEqualTo(1);
      assertThat(bridge.admin().get("/upstreams")).contains("\"state\": \"ejected\"");
      bridge.process().awaitLineWith(" upstream-ejected ", " upstream=" + liar.address() + " ");
    }
  }

  @Test
  void upstream_servingWithoutAttach_isDownAndItsLanesDoNotBreak(@TempDir Path folder)
      throws IOException {
    try (Liar liar = Liar.start();
        Stub honest = Stub.start();
        Bridge bridge = bridge(folder, honest.address(), liar.address())) {
      bridge
          .process()
          .awaitLineWith(
              " upstream-not-serving ", " upstream=" + liar.address() + " ", " cause=no_attach ");
      await().until(() -> bridge.admin().metric("waymark_pool_upstreams_serving") == 1);
      assertThat(bridge.admin().get("/upstreams")).contains("\"state\": \"down\"");
      await().until(() -> bridge.admin().metric("waymark_lanes_opened_total", liar.address()) >= 3);
      assertThat(bridge.process().stderr()).doesNotContain(" lane-broken ");
    }
  }

  private static Bridge bridge(Path folder, String first, String second) throws IOException {
    return Bridge.configured(
        Files.writeString(
            folder.resolve("waymark.yml"),
            """
            listeners: [{address: "127.0.0.1:0"}]
            pools:
              - upstreams: [{address: "%s"}, {address: "%s"}]
                ejection-signals: 3
            """
                .formatted(first, second)));
  }

  /** An upstream whose health service reports SERVING, although Attach is missing or fails. */
  private record Liar(Server server) implements AutoCloseable {
    static Liar start(BindableService... services) throws IOException {
      HealthStatusManager health = new HealthStatusManager();
      health.setStatus("", ServingStatus.SERVING);
      NettyServerBuilder builder =
          NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
              .addService(health.getHealthService());
      List.of(services).forEach(builder::addService);
      return new Liar(builder.build().start());
    }

    String address() {
      return "127.0.0.1:" + server.getPort();
    }

    @Override
    public void close() {
      server.shutdownNow();
    }
  }

  /** Refuses every lane. */
  private static final class FailingAttach extends UpstreamGrpc.UpstreamImplBase {
    @Override
    public StreamObserver<BridgeBatch> attach(StreamObserver<UpstreamBatch> answers) {
      answers.onError(Status.INTERNAL.withDescription("out of order").asException());
      return new StreamObserver<>() {
        @Override
        public void onNext(BridgeBatch batch) {}

        @Override
        public void onError(Throwable error) {}

        @Override
        public void onCompleted() {}
      };
    }
  }
}
