package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Clients of all kinds, through one bridge with two echoing stubs. */
final class TrafficIT {
  private static final int MIB = 1 << 20;

  private static Stub left;
  private static Stub right;
  private static Bridge bridge;

  @BeforeAll
  static void start() {
    left = Stub.start();
    right = Stub.start();
    bridge = Bridge.inFrontOf(List.of(left, right));
    await().until(() -> bridge.admin().metric("waymark_pool_upstreams_serving") == 2);
  }

  @AfterAll
  static void stop() {
    try (var _ = left;
        var _ = right;
        var _ = bridge) {
      assertThat(bridge.process().isAlive()).as(bridge.process().describe()).isTrue();
      await().until(() -> bridge.admin().metric("waymark_connections_open") == 0);
      assertThat(bridge.admin().metric("waymark_memory_held_bytes"))
          .as("memory held without connections")
          .isZero();
      bridge.lookForLeaks();
    }
  }

  @Test
  void thousandClients_atOnce_getEveryByteAndAreSpreadEvenly() {
    List<Client> clients = Clients.connect(1_000, bridge.port());
    // Before any client sends: a lane that is briefly full would be skipped.
    await().until(() -> left.marks().size() + right.marks().size() == 1_000);
    assertThat(left.marks().size()).isBetween(490, 510);
    Clients.inParallel(clients, client -> client.echo(10_000));
    Clients.inParallel(clients, client -> client.echo(90_000).end().expectEnd());
    Clients.close(clients);
  }

  @Test
  void client_sendingByteByByte_getsEveryByte() {
    try (Client client = bridge.connect()) {
      client.send(1_000, 1).expect(1_000);
      for (int i = 0; i < 100; i++) {
        client.send(1).expect(1);
      }
    }
  }

  @Test
  void client_halfClosing_getsAllRepliesThenFin() {
    try (Client client = bridge.connect()) {
      client.send(200_000).end().expect(200_000).expectEnd();
      assertThat(bridge.awaitClosed(client))
          .containsEntry("reason", "done")
          .containsEntry("ended-by", "client");
    }
  }

  @Test
  void upstream_closing_endsTheClientAfterItsReplies() {
    try (Client client = bridge.connect()) {
      client.send(100).expect(100);
      close(bridge, client, "DONE");
      client.expectEnd().end();
      assertThat(bridge.awaitClosed(client))
          .containsEntry("reason", "done")
          .containsEntry("ended-by", "upstream");
    }
  }

  @Test
  void upstream_aborting_resetsTheClient() {
    try (Client client = bridge.connect()) {
      client.send(100).expect(100);
      close(bridge, client, "ABORT");
      client.expectGone();
      bridge.assertClosed(client, "abort");
    }
  }

  @Test
  void client_resetting_isForgottenByTheUpstream() {
    Client client = bridge.connect();
    client.send(100).expect(100);
    String mark = markOf(bridge, client);
    client.reset();
    assertThat(bridge.awaitClosed(client))
        .containsEntry("reason", "client_reset")
        .containsEntry("ended-by", "client");
    await().untilAsserted(() -> assertThat(left.marks()).doesNotContain(mark));
    await().untilAsserted(() -> assertThat(right.marks()).doesNotContain(mark));
  }

  @Test
  void client_sendingAndClosingAtOnce_deliversEverything() {
    List<Client> clients = IntStream.range(0, 50).mapToObj(_ -> bridge.connect()).toList();
    Clients.inParallel(clients, client -> client.send(3_000).close());
    for (Client client : clients) {
      assertThat(bridge.awaitClosed(client)).containsEntry("received-bytes", "3000");
    }
  }

  @Test
  void client_sending64Mib_getsEveryByte() {
    try (Client client = bridge.connect()) {
      client.echo(64L * MIB).end().expectEnd();
      assertThat(bridge.awaitClosed(client)).containsEntry("sent-bytes", Long.toString(64L * MIB));
    }
  }

  @Test
  void client_notReading_stallsOnlyItself() {
    try (Client slow = Client.connectNarrow(bridge.port());
        var slowSender = Clients.inBackground(() -> slow.send(16L * MIB))) {
      awaitStalled(List.of(slow));
      List<Client> others = Clients.connect(100, bridge.port());
      long startNs = System.nanoTime();
      Clients.inParallel(others, client -> client.echo(MIB));
      Clients.inParallel(
          others,
          client -> {
            for (int i = 0; i < 10; i++) {
              client.send(10).expect(10);
            }
          });
      Clients.assertFast(startNs, Duration.ofSeconds(20));
      assertThat(slow.receivedOffset()).isZero();
      assertThat(slowSender.isDone()).as("the slow client is stalled").isFalse();
      slow.expect(16L * MIB).end().expectEnd();
      slowSender.join();
      Clients.close(others);
    }
  }

  @Test
  void clients_writingWithoutReading_holdBoundedMemoryAndStallNoOther() {
    int count = 8;
    long bytes = 16L * MIB;
    List<Client> clients =
        IntStream.range(0, count).mapToObj(_ -> Client.connectNarrow(bridge.port())).toList();
    List<Clients.Background> senders =
        clients.stream().map(one -> Clients.inBackground(() -> one.send(bytes))).toList();
    awaitStalled(clients);
    assertThat(senders).as("all clients are stalled").noneMatch(Clients.Background::isDone);
    assertThat(bridge.admin().metric("waymark_memory_held_bytes"))
        .isLessThan(count * (256L + 256 + 128) * 1024);
    try (Client other = bridge.connect()) {
      other.echo(MIB).end().expectEnd();
    }
    Clients.inParallel(clients, client -> client.expect(bytes).end().expectEnd());
    senders.forEach(Clients.Background::join);
    Clients.close(clients);
  }

  @Test
  void fiveThousandIdleClients_sendingAtOnce_areAllAnswered() {
    List<Client> clients = Clients.connect(5_000, bridge.port());
    await().until(() -> bridge.admin().metric("waymark_connections_open") >= 5_000);
    Clients.inParallel(clients, client -> client.send(500).expect(500));
    Clients.inParallel(clients, client -> client.end().expectEnd());
    Clients.close(clients);
    await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> bridge.admin().metric("waymark_connections_open") == 0);
  }

  private static void awaitStalled(List<Client> clients) {
    long[] before = {-1};
    await()
        .pollInterval(Duration.ofMillis(500))
        .atMost(Duration.ofSeconds(30))
        .until(() -> {
          long sent = clients.stream().mapToLong(Client::sentOffset).sum();
          boolean isStalled = sent > 0 && sent == before[0];
          before[0] = sent;
          return isStalled;
        });
  }

  private static void close(Bridge of, Client client, String code) {
    String mark = markOf(of, client);
    Stub owner = left.marks().contains(mark) ? left : right;
    owner.admin().post("/close?mark=" + mark + "&code=" + code);
  }

  private static String markOf(Bridge of, Client client) {
    return of.admin().markOf(client.address());
  }
}
