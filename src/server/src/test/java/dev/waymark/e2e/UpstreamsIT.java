package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.waymark.testing.RawServer;
import dev.waymark.upstreams.TestDnsServer;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Upstreams that join, leave, die, or do not acknowledge. One bridge with a pool for each case. */
final class UpstreamsIT {
  private static final int MIB = 1 << 20;

  /** Even on a busy machine, only a stalled shard takes longer. */
  private static final Duration STALL = Duration.ofSeconds(1);

  private static final MultiThreadIoEventLoopGroup DNS_LOOP =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private static final String LATE_ADDRESS = "127.0.0.1:" + Waymark.freePort();
  private static final String NOBODY = "127.0.0.1:" + Waymark.freePort();
  private static final int SHARED_PORT = Waymark.freePort();
  private static final int FLOODING_PORT = Waymark.freePort();

  private static TestDnsServer dns;
  private static Stub first;
  private static Stub second;
  private static Stub plain;
  private static Bridge bridge;

  /** The listeners, in the order of the configuration. */
  private enum Pool {
    WAITING("static:///" + LATE_ADDRESS, "no-upstream: wait, health-retry-max: 300ms"),
    CLOSING("static:///" + NOBODY, "no-upstream: close"),
    IMPATIENT("static:///" + NOBODY, "no-upstream-wait: 300ms"),
    NAMED("", "dns-ttl-min: 500ms"),
    PAIR("", "health-retry-max: 500ms"),
    PLAIN("", "policy: least-connections"),
    FLOODING("static:///127.0.0.1:" + FLOODING_PORT, "health-retry-max: 300ms");

    private final String target;
    private final String more;

    Pool(String target, String more) {
      this.target = target;
      this.more = more;
    }

    int port() {
      return bridge.port(ordinal());
    }

    Client connect() {
      return Client.connect(port());
    }

    String label() {
      return "pool=\"" + key() + "\"";
    }

    String key() {
      return name().toLowerCase(Locale.ROOT);
    }

    private String found() {
      return switch (this) {
        case WAITING, CLOSING, IMPATIENT, FLOODING -> target;
        case NAMED -> "dns://" + dns.address() + "/backend.test:" + SHARED_PORT;
        case PAIR -> "static:///" + first.address() + "," + second.address();
        case PLAIN -> "static:///" + plain.address();
      };
    }
  }

  @BeforeAll
  static void start(@TempDir Path folder) throws IOException {
    dns = new TestDnsServer((EventLoop) DNS_LOOP.next());
    dns.ttlSeconds = 1;
    dns.addresses = List.of("127.0.0.1");
    first = Stub.at("127.0.0.1:" + SHARED_PORT);
    second = Stub.at("127.0.0.2:" + SHARED_PORT);
    plain = Stub.start("--no-ack");
    StringBuilder listeners = new StringBuilder("listeners:\n");
    StringBuilder pools = new StringBuilder("pools:\n");
    for (Pool pool : Pool.values()) {
      listeners.append(
          "  - {name: %s, address: \"127.0.0.1:0\", pool: %s}\n".formatted(pool.key(), pool.key()));
      pools.append(
          "  - {name: %s, target: \"%s\", %s}\n".formatted(pool.key(), pool.found(), pool.more));
    }
    String rest = "start-timeout: 500ms\nlanes: {retry-max: 500ms}\n";
    bridge =
        Bridge.configured(
            Files.writeString(folder.resolve("waymark.yml"), listeners.toString() + pools + rest));
    awaitServing(Pool.PAIR, 2);
    awaitServing(Pool.NAMED, 1);
  }

  @AfterAll
  static void stop() {
    try (var _ = dns;
        var _ = first;
        var _ = second;
        var _ = plain;
        var _ = bridge) {
      await().until(() -> bridge.admin().metric("waymark_connections_open") == 0);
      assertThat(bridge.admin().metric("waymark_memory_held_bytes")).isZero();
      bridge.lookForLeaks();
    } finally {
      DNS_LOOP.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }
  }

  @Test
  void connection_beforeAnyUpstream_waitsForTheFirst() {
    try (Client client = Pool.WAITING.connect().send(50_000)) {
      try (Stub _ = Stub.at(LATE_ADDRESS)) {
        client.expect(50_000).echo(MIB).end().expectEnd();
      }
    }
  }

  @Test
  void connection_withoutUpstream_isClosedAtOnceOrAfterItsWait() {
    for (Pool pool : List.of(Pool.CLOSING, Pool.IMPATIENT)) {
      try (Client client = pool.connect()) {
        client.expectEnd().end();
        assertThat(bridge.awaitClosed(client))
            .containsEntry("reason", "no_upstream")
            .containsEntry("ended-by", "bridge")
            .containsEntry("upstreams", "none");
      }
    }
  }

  @Test
  void upstream_notServing_getsNoNewConnectionsAndOldOnesContinue() {
    try (Client old = connectTo(first, Pool.PAIR)) {
      first.admin().post("/health?status=NOT_SERVING");
      awaitServing(Pool.PAIR, 1);
      List<Client> clients = Clients.connect(10, Pool.PAIR.port());
      Clients.inParallel(clients, client -> client.echo(100).end().expectEnd());
      clients.forEach(client ->
          assertThat(bridge.awaitClosed(client)).containsEntry("upstreams", second.address()));
      Clients.close(clients);
      old.echo(1_000);
      first.admin().post("/health?status=SERVING");
      awaitServing(Pool.PAIR, 2);
      connectTo(first, Pool.PAIR).close();
    } finally {
      first.admin().post("/health?status=SERVING");
      awaitServing(Pool.PAIR, 2);
    }
  }

  @Test
  void name_gainingAnAddress_givesTheNewUpstreamConnections() {
    connectTo(first, Pool.NAMED).close();
    dns.addresses = List.of("127.0.0.1", "127.0.0.2");
    awaitServing(Pool.NAMED, 2);
    connectTo(second, Pool.NAMED).close();
    dns.addresses = List.of("127.0.0.1");
    awaitServing(Pool.NAMED, 1);
  }

  @Test
  void upstream_killed_losesNoConnectionAndIsUsedAgainWhenBack() {
    try (Client moved = connectTo(second, Pool.PAIR);
        Client kept = connectTo(first, Pool.PAIR)) {
      second.process().kill();
      moved.echo(MIB).end().expectEnd();
      assertThat(bridge.awaitClosed(moved))
          .containsEntry("reason", "done")
          .containsEntry("upstreams", second.address() + "," + first.address());
      List<Client> clients = Clients.connect(10, Pool.PAIR.port());
      Clients.inParallel(clients, client -> client.echo(100));
      Clients.close(clients);
      kept.echo(MIB);
    } finally {
      second.close();
      second = Stub.at(second.address());
    }
    awaitServing(Pool.PAIR, 2);
    connectTo(second, Pool.PAIR).close();
  }

  /** Without credit only the client's own pace limits replies, so this one waits for each. */
  @Test
  void upstream_notAcknowledging_echoesAndEnds() {
    try (Client client = Pool.PLAIN.connect()) {
      for (int i = 0; i < 128; i++) {
        client.send(64 * 1024).expect(64 * 1024);
      }
      client.end().expectEnd();
      bridge.assertClosed(client, "done");
    }
  }

  @Test
  void upstream_notAcknowledging_clientNotReading_isStalledOrClosedAlone() {
    try (Client slow = Client.connectNarrow(Pool.PLAIN.port());
        var sender = Clients.inBackground(() -> slow.send(64L * MIB))) {
      await()
          .until(() ->
              isClosed(slow)
                  || bridge
                          .admin()
                          .metric("waymark_client_reading_paused_total", "listener=\"plain\"")
                      > 0);
      assertThat(bridge.admin().metric("waymark_memory_held_bytes")).isLessThan(4L * MIB);
      try (Client other = Pool.PLAIN.connect()) {
        other.send(64 * 1024).expect(64 * 1024).end().expectEnd();
      }
      assertThat(sender.isDone() && !isClosed(slow)).as("64 MiB were accepted").isFalse();
      slow.reset();
      await()
          .untilAsserted(() ->
              assertThat(bridge.awaitClosed(slow).get("reason"))
                  .isIn("slow_client", "client_reset"));
    }
  }

  @Test
  void upstream_thatFloods_isDroppedWithAReasonAndStallsNoOther() throws IOException {
    var worst = Duration.ZERO;
    try (var _ =
            RawServer.start(
                FLOODING_PORT,
                connection -> {
                  if (connection.isWatch()) {
                    connection.serveHealth();
                  } else {
                    connection.flood();
                  }
                });
        Client other = connectTo(first, Pool.PAIR)) {
      String reason = "upstream=127.0.0.1:" + FLOODING_PORT + " cause=\"HTTP/2 flood: the upstream";
      while (!bridge.process().stderr().contains(reason)) {
        long sinceNs = System.nanoTime();
        other.echo(100);
        worst = max(worst, Duration.ofNanos(System.nanoTime() - sinceNs));
      }
      for (int i = 0; i < 200; i++) {
        long sinceNs = System.nanoTime();
        other.echo(100);
        worst = max(worst, Duration.ofNanos(System.nanoTime() - sinceNs));
      }
    }
    assertThat(worst).isLessThan(STALL);
  }

  private static Duration max(Duration one, Duration other) {
    return one.compareTo(other) > 0 ? one : other;
  }

  private static boolean isClosed(Client client) {
    return bridge.process().stderr().contains("client=" + client.address() + " ");
  }

  /** Balancing alternates between upstreams, so one of a few connections goes to this one. */
  private static Client connectTo(Stub upstream, Pool pool) {
    for (int attempt = 0; attempt < 20; attempt++) {
      Client client = pool.connect().echo(100);
      if (upstream.marks().contains(bridge.admin().markOf(client.address()))) {
        return client;
      }
      client.close();
    }
    throw new AssertionError(
        upstream.address() + " got no connection; " + bridge.process().describe());
  }

  private static void awaitServing(Pool pool, int count) {
    await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() -> {
          assertThat(bridge.admin().metric("waymark_pool_upstreams_serving", pool.label()))
              .isEqualTo(count);
          assertThat(bridge.admin().metric("waymark_lanes_open", pool.label()))
              .isGreaterThanOrEqualTo(count);
        });
  }
}
