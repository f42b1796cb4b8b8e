package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonParser;
import dev.waymark.v1.DiscoverRequest;
import dev.waymark.v1.DiscoverResponse;
import dev.waymark.v1.Instance;
import dev.waymark.v1.RegistryGrpc;
import dev.waymark.v1.Removed;
import dev.waymark.v1.Removed.Cause;
import dev.waymark.v1.WatchRequest;
import dev.waymark.v1.WatchResponse;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Agents and a directory, each in its own process. Each test has a service of its own. */
final class AgentProcessIT {
  private static final Duration TTL = Duration.ofSeconds(3);
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  /** What a busy machine may add to any time. */
  private static final Duration SLACK = Duration.ofSeconds(3);

  private static DirectoryProcess directory;

  /** What the directory tells watchers: by service, why its last instance went. */
  private final Map<String, Cause> causes = new ConcurrentHashMap<>();

  private ManagedChannel channel;
  private ServerSocket service;

  @BeforeAll
  static void startDirectory() {
    directory = directoryAt("127.0.0.1:" + Waymark.freePort());
  }

  private static DirectoryProcess directoryAt(String address) {
    return DirectoryProcess.at(address, "--ttl=" + TTL.toSeconds() + "s");
  }

  @AfterAll
  static void stopDirectory() {
    directory.close();
  }

  @BeforeEach
  void start() throws IOException {
    channel = NettyChannelBuilder.forTarget(directory.address()).usePlaintext().build();
    service = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
  }

  @AfterEach
  void stop() throws IOException {
    channel.shutdownNow();
    service.close();
  }

  private String address() {
    return "127.0.0.1:" + service.getLocalPort();
  }

  private static Waymark agent(String name, String address, String check, String... flags) {
    String[] line =
        Stream.concat(
                Stream.of(
                    "agent",
                    "--service=" + name,
                    "--address=" + address,
                    "--registry=directory://" + directory.address(),
                    "--check=" + check),
                Stream.of(flags))
            .toArray(String[]::new);
    return Waymark.command(line).quick().start();
  }

  private List<String> discover(String name) {
    DiscoverResponse found =
        RegistryGrpc.newBlockingStub(channel)
            .withWaitForReady()
            .discover(DiscoverRequest.newBuilder().setService(name).setMax(10).build());
    return found.getInstancesList().stream().map(Instance::getAddress).toList();
  }

  private void awaitFound(String name, String... addresses) {
    await().atMost(TIMEOUT).until(() -> discover(name).equals(List.of(addresses)));
  }

  private void watch(String name) {
    RegistryGrpc.newStub(channel)
        .watch(
            WatchRequest.newBuilder().addServices(name).build(),
            new StreamObserver<>() {
              @Override
              public void onNext(WatchResponse response) {
                for (Removed gone : response.getRemovedList()) {
                  causes.put(gone.getService(), gone.getCause());
                }
              }

              @Override
              public void onError(Throwable broken) {}

              @Override
              public void onCompleted() {}
            });
  }

  /** Waits until the instance is gone, and returns how long that took. */
  private Duration awaitGone(String name, Cause cause) {
    long startNs = System.nanoTime();
    awaitFound(name);
    Duration took = Duration.ofNanos(System.nanoTime() - startNs);
    await().atMost(TIMEOUT).until(() -> causes.get(name) == cause);
    return took;
  }

  @Test
  void stub_thatStops_isDeregisteredAtOnce() {
    try (Stub stub = Stub.start();
        Waymark agent = agent("stub", stub.address(), "grpc", "--check-interval=1h")) {
      awaitFound("stub", stub.address());
      watch("stub");
      stub.process().stop();
      assertThat(awaitGone("stub", Cause.DEREGISTERED)).isLessThan(SLACK);
      agent.awaitLineWith(
          " service-unhealthy ", "service=stub", "its health service reports NOT_SERVING");
    }
  }

  @Test
  void agents_thatFreezeOrDie_loseTheirRegistrationsInOneTtl() {
    List<String> names = List.of("frozen", "dead", "twice", "twice");
    List<Waymark> agents = names.stream().map(name -> agent(name, address(), "tcp")).toList();
    try (Waymark frozen = agents.get(0);
        Waymark dead = agents.get(1);
        Waymark first = agents.get(2);
        Waymark second = agents.get(3)) {
      agents.forEach(agent -> agent.awaitLineWith(" registered registry="));
      Set.copyOf(names).forEach(this::watch);
      frozen.signal("STOP");
      dead.kill();
      first.kill();
      Duration took = awaitGone("frozen", Cause.EXPIRED);
      assertThat(took).isBetween(TTL.dividedBy(2), TTL.plus(SLACK));
      awaitGone("dead", Cause.EXPIRED);
      long wokenNs = System.nanoTime();
      frozen.signal("CONT");
      awaitFound("frozen", address());
      assertThat(Duration.ofNanos(System.nanoTime() - wokenNs))
          .isLessThan(TTL.dividedBy(3).plus(SLACK));
      // Another agent minds this one, too: it is one instance, and it stays.
      assertThat(second.isAlive()).isTrue();
      assertThat(discover("twice")).containsExactly(address());
      assertThat(causes).doesNotContainKey("twice");
    }
  }

  @Test
  void agent_stopped_deregistersFirst() {
    try (Waymark agent = agent("stopped", address(), "tcp", "--admin=127.0.0.1:0", "--zone=a")) {
      awaitFound("stopped", address());
      watch("stopped");
      AdminPort admin = new AdminPort(agent.awaitLine("minds .*, admin on http://(\\S+)").group(1));
      await()
          .atMost(TIMEOUT)
          .until(() ->
              JsonParser.parseString(admin.get("/services"))
                  .toString()
                  .contains("\"state\":\"registered\""));
      assertThat(admin.metric("waymark_agent_registered")).isEqualTo(1);
      assertThat(agent.stop()).isZero();
      assertThat(awaitGone("stopped", Cause.DEREGISTERED)).isLessThan(SLACK);
      assertThat(agent.stderr()).contains(" INFO ", " stopped");
    }
  }

  @Test
  void directory_killedAndRestarted_isWholeAgain() {
    try (Waymark agent = agent("again", address(), "tcp")) {
      awaitFound("again", address());
      directory.process().kill();
      agent.awaitLineWith(
          " WARN ", " registration-failed registry=directory://" + directory.address());
      directory = directoryAt(directory.address());
      long startNs = System.nanoTime();
      awaitFound("again", address());
      assertThat(Duration.ofNanos(System.nanoTime() - startNs))
          .isLessThan(TTL.dividedBy(3).plus(SLACK));
      assertThat(agent.isAlive()).isTrue();
    }
  }
}
