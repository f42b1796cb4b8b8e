package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.waymark.upstreams.TestDnsServer;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.resolver.ResolvedAddressTypes;
import io.netty.resolver.dns.DnsNameResolver;
import io.netty.resolver.dns.DnsNameResolverBuilder;
import io.netty.resolver.dns.NoopDnsCache;
import io.netty.resolver.dns.SingletonDnsServerAddressStreamProvider;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several bridges behind one DNS name, and clients that resolve it. */
final class FleetIT {
  private static final String NAME = "fleet.test";
  private static final int PORT = Waymark.freePort();
  private static final Pattern CLOSED = Pattern.compile(" connection-closed mark=(\\S+) .*");

  private static final MultiThreadIoEventLoopGroup LOOPS =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());

  private static TestDnsServer dns;
  private static DnsNameResolver resolver;
  private static List<Stub> stubs;

  @TempDir private Path folder;

  @BeforeAll
  static void start() {
    EventLoop loop = (EventLoop) LOOPS.next();
    dns = new TestDnsServer(loop);
    dns.isRotating = true;
    String server = dns.address();
    int port = Integer.parseInt(server.substring(server.lastIndexOf(':') + 1));
    resolver =
        new DnsNameResolverBuilder(loop)
            .datagramChannelType(NioDatagramChannel.class)
            .nameServerProvider(
                new SingletonDnsServerAddressStreamProvider(
                    new InetSocketAddress("127.0.0.1", port)))
            .resolvedAddressTypes(ResolvedAddressTypes.IPV4_ONLY)
            .resolveCache(NoopDnsCache.INSTANCE)
            .build();
    stubs = List.of(Stub.start(), Stub.start());
  }

  @AfterAll
  static void stop() {
    resolver.close();
    dns.close();
    LOOPS.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    stubs.forEach(Stub::close);
  }

  private Bridge bridge(String host, String... listenerKeys) throws IOException {
    String more = String.join("", Stream.of(listenerKeys).map(key -> ", " + key).toList());
    String targets = String.join(",", stubs.stream().map(Stub::address).toList());
    Path file = Files.createTempFile(folder, "bridge", ".yml");
    Files.writeString(
        file,
        """
        drain-timeout: 8s
        listeners:
          - {name: fleet, address: '%s:%d', connection-age-grace: 5s%s}
        pools:
          - {name: stubs, target: 'static:///%s'}
        """
            .formatted(host, PORT, more, targets));
    return Bridge.configured(file);
  }

  /** Connects as a new client does: resolves the name and takes the first address. */
  private static Client connect() {
    InetAddress address = resolver.resolve(NAME).syncUninterruptibly().getNow();
    return Client.connect(new InetSocketAddress(address, PORT), 0);
  }

  private static long open(Bridge bridge) {
    return bridge.admin().metric("waymark_connections_open");
  }

  /** Runs a client that reconnects whenever a bridge ends its connection, between two replies. */
  private static void stay(AtomicReference<Client> current, boolean isBusy) {
    while (!Thread.currentThread().isInterrupted()) {
      try (Client client = connect()) {
        current.set(client);
        boolean isOpen = client.send(100).expectOrEnd(100);
        while (isOpen && isBusy) {
          isOpen = client.send(100).expectOrEnd(100);
        }
        if (isOpen) {
          client.expectEnd();
        }
      }
    }
  }

  private static List<String> marks(List<Bridge> bridges) {
    return bridges.stream()
        .flatMap(bridge -> CLOSED.matcher(bridge.process().stderr()).results())
        .map(line -> line.group(1))
        .toList();
  }

  /** The age limit of connections lets clients find a new bridge and leave one that stops. */
  @Test
  void fleet_growingAndShrinking_isFollowedByClientsWithoutBrokenReplies() throws IOException {
    int clientCount = 60;
    String[] age = {"connection-age-max: 3s", "connection-age-jitter: 60"};
    List<Bridge> bridges = new ArrayList<>();
    List<Clients.Background> clients = new ArrayList<>();
    try {
      for (int i = 2; i <= 4; i++) {
        bridges.add(bridge("127.0.0." + i, age));
      }
      dns.addresses = List.of("127.0.0.2", "127.0.0.3", "127.0.0.4");
      for (int i = 0; i < clientCount; i++) {
        boolean isBusy = i % 15 == 0;
        AtomicReference<Client> current = new AtomicReference<>();
        clients.add(Clients.inBackground(() -> stay(current, isBusy)));
      }
      awaitSpread(bridges, clientCount, clients);
      bridges.add(bridge("127.0.0.5", age));
      dns.addresses = List.of("127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5");
      awaitSpread(bridges, clientCount, clients);
      dns.addresses = List.of("127.0.0.3", "127.0.0.4", "127.0.0.5");
      Bridge leaving = bridges.getFirst();
      leaving.process().signal("TERM");
      assertThat(leaving.process().exitCode(Duration.ofSeconds(30))).isZero();
      assertThat(leaving.process().stderr()).doesNotContain("reason=bridge_stopped");
      awaitSpread(bridges.subList(1, 4), clientCount, clients);
      assertThat(marks(bridges)).hasSizeGreaterThan(clientCount).doesNotHaveDuplicates();
    } finally {
      clients.forEach(Clients.Background::close);
      bridges.forEach(Bridge::close);
    }
  }

  /** Waits until every bridge has at least half of its share, with all clients still running. */
  private static void awaitSpread(
      List<Bridge> bridges, int clientCount, List<Clients.Background> clients) {
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(() -> {
          List<Long> counts = bridges.stream().map(FleetIT::open).toList();
          assertThat(counts).allMatch(count -> count >= clientCount / bridges.size() / 2);
          assertThat(clients).noneMatch(Clients.Background::isDone);
        });
  }

  @Test
  void drain_ofConnectionsWithAnAgeLimit_isSpreadOverTime() throws IOException {
    int clientCount = 40;
    try (Bridge bridge = bridge("127.0.0.9", "connection-age-max: 10h")) {
      List<Client> clients =
          IntStream.range(0, clientCount)
              .mapToObj(_ -> Client.connect(new InetSocketAddress("127.0.0.9", PORT), 0).echo(100))
              .toList();
      AtomicInteger ended = new AtomicInteger();
      bridge.process().signal("TERM");
      try (var all =
          Clients.inBackground(() ->
              Clients.inParallel(
                  clients,
                  client -> {
                    client.expectEnd().end();
                    ended.incrementAndGet();
                  }))) {
        await().until(() -> ended.get() > 3);
        assertThat(ended.get())
            .as("clients ended in the first moments")
            .isLessThan(clientCount * 3 / 4);
        all.join();
      }
      assertThat(bridge.process().exitCode(Duration.ofSeconds(30))).isZero();
      assertThat(bridge.process().stderr())
          .doesNotContain("reason=bridge_stopped")
          .contains("reason=connection_age");
      Clients.close(clients);
    }
  }
}
