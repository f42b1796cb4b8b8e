package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Bridges that run out of descriptors or memory. */
final class LimitsIT {
  private static final int MIB = 1 << 20;
  private static final int DESCRIPTORS = 300;

  private static Stub stub;

  @BeforeAll
  static void start() {
    stub = Stub.start();
  }

  @AfterAll
  static void stop() {
    stub.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"nio", "epoll", "io_uring"})
  void descriptors_exhausted_pauseAcceptingWithoutSpinningUntilSomeAreFree(String transport) {
    TransportsIT.assumeWorks(transport);
    String[] flags = Bridge.flagsOf(List.of(stub), "--shards=1", "--transport=" + transport);
    try (Bridge bridge = Bridge.start(launch -> launch.descriptorsMax(DESCRIPTORS), flags)) {
      List<Client> clients = Clients.connect(DESCRIPTORS, bridge.port());
      bridge.process().awaitLineWith("accept-paused");
      try (var scrape = Clients.inBackground(() -> assertThat(pauses(bridge)).isPositive())) {
        assertNotSpinning(bridge);
        List<Client> closing = new ArrayList<>(clients.subList(0, DESCRIPTORS / 2));
        Clients.close(closing);
        clients.removeAll(closing);
        scrape.join();
      }
      Clients.inParallel(clients, client -> client.echo(1_000).end().expectEnd());
      Clients.close(clients);
      try (Client late = bridge.connect()) {
        late.echo(1_000).end().expectEnd();
      }
      bridge.process().awaitLineWith("accept-resumed");
    }
  }

  @Test
  void memoryBudget_exceeded_endsNeitherTheProcessNorOtherClients() {
    long budget = 2L * MIB;
    try (Bridge bridge = Bridge.inFrontOf(stub, "--memory-budget=2MiB")) {
      List<Client> slow =
          IntStream.range(0, 60).mapToObj(_ -> Client.connectNarrow(bridge.port())).toList();
      List<Clients.Background> senders =
          slow.stream().map(client -> Clients.inBackground(() -> client.send(16L * MIB))).toList();
      await()
          .until(() ->
              closed(bridge, "overload") > 0 || bridge.process().stderr().contains("over-budget"));
      await()
          .during(Duration.ofSeconds(1))
          .atMost(Duration.ofSeconds(60))
          .until(() -> bridge.admin().metric("waymark_memory_held_bytes") <= budget * 5 / 4 + MIB);
      assertThat(bridge.admin().status("/readyz")).isEqualTo(200);
      slow.forEach(Client::reset);
      senders.forEach(Clients.Background::close);
      try (Client other = bridge.connect()) {
        other.echo(MIB).end().expectEnd();
      }
      await().until(() -> bridge.admin().metric("waymark_memory_held_bytes") == 0);
    }
  }

  /** The default budget exceeds all memory outside the heap, so the bridge lowers it. */
  @Test
  void directMemory_scarce_breaksNoLane() {
    String[] flags = Bridge.flagsOf(List.of(stub), "--shards=1");
    try (Bridge bridge =
        Bridge.start(
            launch ->
                launch
                    .leakDetection("disabled")
                    .env("_JAVA_OPTIONS", "-Xmx96m -Dio.netty.maxDirectMemory=" + 48 * MIB),
            flags)) {
      assertThat(bridge.admin().metric("waymark_memory_budget_bytes")).isEqualTo(12L * MIB);
      List<Client> slow =
          IntStream.range(0, 300).mapToObj(_ -> Client.connectNarrow(bridge.port())).toList();
      List<Clients.Background> senders =
          slow.stream().map(client -> Clients.inBackground(() -> client.send(16L * MIB))).toList();
      await()
          .atMost(Duration.ofSeconds(20))
          .until(() -> bridge.admin().metric("waymark_memory_held_bytes") > 4 * MIB);
      await()
          .during(Duration.ofSeconds(2))
          .atMost(Duration.ofSeconds(4))
          .until(() -> bridge.admin().status("/healthz") == 200);
      slow.forEach(Client::reset);
      senders.forEach(Clients.Background::close);
      try (Client other = bridge.connect()) {
        other.echo(MIB).end().expectEnd();
      }
      assertThat(bridge.process().stderr())
          .doesNotContain("lane-broken", "OutOfMemory", "ERROR", "event executor");
    }
  }

  @Test
  void heap_exhausted_isLoggedAndExitsWithThree() {
    try (Waymark bridge =
        Waymark.command("bridge", "--listen=127.0.0.1:0", "--admin=127.0.0.1:0")
            .leakDetection("disabled")
            .quick()
            .env("_JAVA_OPTIONS", "-Xmx6m")
            .start()) {
      assertThat(bridge.exitCode()).isEqualTo(3);
      assertThat(bridge.stderr()).containsPattern("Z ERROR out-of-memory where=heap exit-code=3");
    }
  }

  /** One read may hold tens of thousands of messages, which are cut only as they are sent. */
  @Test
  void manyTinyMessages_doNotHoldManyTimesTheirBytes() {
    long budget = 16L * MIB;
    try (Bridge bridge = Bridge.inFrontOf(stub, "--memory-budget=16MiB", "--framing=line")) {
      List<Client> slow =
          IntStream.range(0, 20).mapToObj(_ -> Client.connectNarrow(bridge.port())).toList();
      byte[] lines = new byte[4 * MIB];
      Arrays.fill(lines, (byte) '\n');
      List<Clients.Background> senders =
          slow.stream().map(client -> Clients.inBackground(() -> client.write(lines))).toList();
      long[] peak = {0};
      await()
          .pollInterval(Duration.ofMillis(10))
          .during(Duration.ofSeconds(3))
          .until(() -> {
            peak[0] = Math.max(peak[0], bridge.admin().metric("waymark_memory_held_bytes"));
            return true;
          });
      assertThat(peak[0]).isPositive().isLessThan(2 * budget);
      slow.forEach(Client::reset);
      senders.forEach(Clients.Background::close);
    }
  }

  private static void assertNotSpinning(Bridge bridge) {
    Duration before = bridge.process().cpuTime();
    long startNs = System.nanoTime();
    await().until(() -> System.nanoTime() - startNs > Duration.ofSeconds(2).toNanos());
    assertThat(bridge.process().cpuTime().minus(before))
        .as("CPU used in two seconds")
        .isLessThan(Duration.ofMillis(600));
  }

  private static long pauses(Bridge bridge) {
    return bridge.admin().metric("waymark_accept_pauses_total");
  }

  private static long closed(Bridge bridge, String reason) {
    return bridge.admin().metric("waymark_connections_closed_total", "reason=\"" + reason + "\"");
  }
}
