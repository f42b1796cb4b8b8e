package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A running bridge applies the changes in a file, and either all of them or none. */
final class ReloadIT {
  private static final Pattern PORT = Pattern.compile(" address=\\S+:([0-9]+)");
  private static Stub red;
  private static Stub blue;

  @TempDir private Path folder;
  private Path file;
  private Bridge bridge;

  @BeforeAll
  static void startStubs() {
    red = Stub.start();
    blue = Stub.start();
  }

  @AfterAll
  static void stopStubs() {
    red.close();
    blue.close();
  }

  @BeforeEach
  void start() throws IOException {
    file = folder.resolve("waymark.yml");
    write(listener("game", 0, "red"), pool("red", red));
    bridge = Bridge.configured(file);
  }

  @AfterEach
  void stop() {
    bridge.close();
  }

  private static String listener(String name, int port, String pool, String... more) {
    return listenerAt("127.0.0.1:" + port, name, pool, more);
  }

  private static String listenerAt(String address, String name, String pool, String... more) {
    return "  - {name: %s, address: '%s', pool: %s%s}\n"
        .formatted(name, address, pool, more.length == 0 ? "" : ", " + String.join(", ", more));
  }

  private static String pool(String name, Stub upstream) {
    return "  - {name: %s, target: 'static:///%s'}\n".formatted(name, upstream.address());
  }

  private void write(String listeners, String pools, String... rest) throws IOException {
    String text = "listeners:\n" + listeners + "pools:\n" + pools + String.join("\n", rest);
    Files.writeString(file, text);
  }

  /** Reloads and returns the applied changes. */
  private List<String> reload() {
    return JsonParser.parseString(bridge.admin().post("/reload"))
        .getAsJsonObject()
        .getAsJsonArray("applied")
        .asList()
        .stream()
        .map(line -> line.getAsString())
        .toList();
  }

  private int portOf(String listener) {
    String line =
        bridge.process().awaitLineWith("listener-open", "listener=" + listener + " address=");
    Matcher port = PORT.matcher(line);
    assertThat(port.find()).as(line).isTrue();
    return Integer.parseInt(port.group(1));
  }

  private long metric(String name, String... labels) {
    return bridge.admin().metric(name, labels);
  }

  @Test
  void listenerAndPool_added_serve() throws IOException {
    try (Client old = bridge.connect().echo(1_000)) {
      write(
          listener("game", 0, "red") + listener("chat", 0, "blue"),
          pool("red", red) + pool("blue", blue));
      assertThat(reload()).containsExactly("listener chat added", "pool blue added");
      try (Client client = Client.connect(portOf("chat")).echo(1_000)) {
        assertThat(blue.marks()).contains(bridge.admin().markOf(client.address()));
      }
      old.echo(1_000);
    }
    assertThat(bridge.admin().get("/config")).contains("listeners[1].name").contains("chat");
    assertThat(metric("waymark_reloads_total", "result=\"applied\"")).isEqualTo(1);
    assertThat(bridge.process().stderr()).contains("reloaded cause=request changes=");
    assertThat(reload()).isEmpty();
  }

  @Test
  void listenerAndPool_removed_keepTheirConnectionsUntilTheyEnd() throws IOException {
    write(
        listener("game", 0, "red") + listener("chat", 0, "blue"),
        pool("red", red) + pool("blue", blue));
    reload();
    int port = portOf("chat");
    try (Client client = Client.connect(port).echo(1_000)) {
      write(listener("game", 0, "red"), pool("red", red));
      assertThat(reload()).containsExactly("listener chat removed", "pool blue removed");
      assertThatThrownBy(() -> Client.connect(port)).isInstanceOf(UncheckedIOException.class);
      client.echo(100_000);
      assertThat(metric("waymark_connections_open", "listener=\"chat\"")).isEqualTo(1);
      assertThat(metric("waymark_lanes_open", "pool=\"blue\"")).isPositive();
      client.end().expectEnd();
      bridge.assertClosed(client, "done");
    }
    await()
        .untilAsserted(() ->
            assertThat(bridge.admin().get("/metrics"))
                .doesNotContain("\"chat\"")
                .doesNotContain("\"blue\""));
    assertThat(bridge.admin().get("/upstreams")).doesNotContain("blue");
    bridge.connect().echo(1_000).close();
  }

  @Test
  void pool_addedBackBeforeItIsGone_continues() throws IOException {
    String both = listener("game", 0, "red") + listener("chat", 0, "blue");
    write(both, pool("red", red) + pool("blue", blue));
    reload();
    try (Client client = Client.connect(portOf("chat")).echo(1_000)) {
      write(listener("game", 0, "red"), pool("red", red));
      reload();
      write(
          listener("game", 0, "red") + listener("talk", 0, "blue"),
          pool("red", red) + pool("blue", blue));
      assertThat(reload()).containsExactly("listener talk added", "pool blue added");
      client.echo(1_000);
      Client.connect(portOf("talk")).echo(1_000).close();
    }
    Client.connect(portOf("talk")).echo(1_000).close();
  }

  @Test
  void listener_withChangedOptions_keepsItsPortAndOldConnectionsKeepTheirs() throws IOException {
    try (Client old = bridge.connect().echo(1_000)) {
      write(listener("game", 0, "red", "idle-timeout: 300ms"), pool("red", red));
      bridge.process().signal("HUP");
      bridge.process().awaitLineWith("reloaded", "cause=signal", "idle-timeout");
      try (Client client = bridge.connect().echo(1_000)) {
        client.expectEnd().end();
        bridge.assertClosed(client, "idle_timeout");
      }
      old.echo(1_000);
    }
    assertThat(bridge.process().stderr()).doesNotContain("listener-closed");
  }

  @Test
  void listener_renamed_keepsItsPort() throws IOException {
    int port = Waymark.freePort();
    write(listener("game", port, "red"), pool("red", red));
    reload();
    try (Client old = Client.connect(port).echo(1_000)) {
      write(listener("play", port, "red", "connections-max: 1"), pool("red", red));
      assertThat(reload()).containsExactly("listener play added", "listener game removed");
      try (Client client = Client.connect(port).echo(1_000)) {
        assertThat(bridge.admin().get("/connections")).contains("\"play\"").contains("\"game\"");
        Client.connect(port).expectGone();
        client.echo(1_000);
      }
      old.echo(1_000);
    }
  }

  @Test
  void listener_withAnotherAddress_opensThereAndClosesTheOldPort() throws IOException {
    try (Client old = bridge.connect().echo(1_000)) {
      int port = Waymark.freePort();
      write(listener("game", port, "red"), pool("red", red));
      assertThat(reload()).containsExactly("listener game changed: address");
      Client.connect(port).echo(1_000).close();
      assertThatThrownBy(bridge::connect).isInstanceOf(UncheckedIOException.class);
      old.echo(1_000);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"nio", "epoll", "io_uring"})
  void listener_movedBetweenAddressAndWildcard_keepsItsClients(String transport)
      throws IOException {
    TransportsIT.assumeWorks(transport);
    bridge.close();
    bridge = Bridge.configured(file, "--transport=" + transport);
    int port = Waymark.freePort();
    write(listener("game", port, "red"), pool("red", red));
    reload();
    try (Client old = Client.connect(port).echo(1_000)) {
      for (String address :
          List.of("0.0.0.0", "[::]", "127.0.0.1", "[::]", "0.0.0.0", "127.0.0.1")) {
        write(listenerAt(address + ":" + port, "game", "red"), pool("red", red));
        assertThat(reload()).containsExactly("listener game changed: address");
        Client.connect(port).echo(1_000).close();
        old.echo(1_000);
      }
      write(listenerAt("0.0.0.0:" + port, "play", "red"), pool("red", red));
      assertThat(reload()).containsExactly("listener play added", "listener game removed");
      Client.connect(port).echo(1_000).close();
      old.echo(1_000);
    }
  }

  @Test
  void portInUse_whenMovingToTheWildcard_leavesTheListenerWhereItWas() throws IOException {
    int port = Waymark.freePort();
    write(listener("game", port, "red"), pool("red", red));
    reload();
    // Does not conflict with 127.0.0.1, but with the wildcard.
    try (Client old = Client.connect(port).echo(1_000);
        var held = new ServerSocket(port, 1, InetAddress.ofLiteral("127.0.0.2"))) {
      write(listenerAt("0.0.0.0:" + port, "game", "red"), pool("red", red));
      assertThat(bridge.admin().refusal(422, "/reload"))
          .contains("port " + held.getLocalPort(), "listener game");
      Client.connect(port).echo(1_000).close();
      old.echo(1_000);
    }
    assertThat(reload()).containsExactly("listener game changed: address");
    Client.connect(port).echo(1_000).close();
  }

  @Test
  void badFile_isRefusedWithTheMessageOfAStartAndNoEffect() throws IOException {
    String before = bridge.admin().get("/config");
    write(
        listener("game", 0, "rad", "idle-timeout: soon") + listener("chat", 0, "red"),
        pool("red", red));
    String text = bridge.admin().refusal(422, "/reload");
    try (Waymark start = Waymark.start("bridge", "--config=" + file, "--admin=127.0.0.1:0")) {
      assertThat(start.exitCode()).isEqualTo(2);
      assertThat(text).isEqualTo(start.stderr());
    }
    assertThat(text.lines()).hasSize(2);
    bridge.process().signal("HUP");
    for (String line : text.lines().toList()) {
      bridge.process().awaitLineWith("reload-refused cause=signal", line);
    }
    assertThat(bridge.admin().get("/config")).isEqualTo(before);
    assertThat(bridge.process().stderr()).doesNotContain("listener=chat");
    assertThat(metric("waymark_config_last_reload_success")).isZero();
    bridge.connect().echo(1_000).close();
    write(listener("game", 0, "red"), pool("red", red));
    assertThat(reload()).isEmpty();
    assertThat(metric("waymark_config_last_reload_success")).isEqualTo(1);
  }

  @Test
  void portInUse_refusesTheWholeReload() throws IOException {
    int free = Waymark.freePort();
    try (var held = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      write(
          listener("game", 0, "blue")
              + listener("chat", free, "red")
              + listener("late", held.getLocalPort(), "red"),
          pool("red", red) + pool("blue", blue));
      assertThat(bridge.admin().refusal(422, "/reload"))
          .contains("port " + held.getLocalPort(), "listener late", "listeners[].address");
    }
    assertThatThrownBy(() -> Client.connect(free)).isInstanceOf(UncheckedIOException.class);
    try (Client client = bridge.connect().echo(1_000)) {
      assertThat(red.marks()).contains(bridge.admin().markOf(client.address()));
    }
    assertThat(bridge.admin().get("/metrics")).doesNotContain("\"chat\"").doesNotContain("blue");
    assertThat(reload()).contains("listener late added", "listener game changed: pool");
    try (Client client = bridge.connect().echo(1_000)) {
      assertThat(blue.marks()).contains(bridge.admin().markOf(client.address()));
    }
  }

  @Test
  void keyThatNeedsARestart_isRefusedByName() throws IOException {
    write(listener("game", 0, "red") + listener("chat", 0, "red"), pool("red", red), "shards: 3\n");
    assertThat(bridge.admin().refusal(422, "/reload"))
        .contains(file + ":", "shards: 3", "in force: 0", "restart");
    assertThat(bridge.process().stderr()).doesNotContain("listener=chat");
  }

  @Test
  void logLevel_changed_takesEffectAtOnce() throws IOException {
    write(listener("game", 0, "red"), pool("red", red), "log: {level: debug}\n");
    assertThat(reload()).containsExactly("log.level changed");
    try (Client client = bridge.connect().echo(1_000)) {
      bridge.process().awaitLineWith("connection-opened", client.address());
    }
    write(listener("game", 0, "red"), pool("red", red), "log: {format: json, level: debug}\n");
    reload();
    bridge.process().awaitLineWith("\"event\":\"reloaded\"");
  }

  private static String weighted(int redWeight, int blueWeight) {
    return """
      - name: red
        upstreams:
          - {address: '%s', weight: %d}
          - {address: '%s', weight: %d}
    """
        .formatted(red.address(), redWeight, blue.address(), blueWeight);
  }

  private static String canary(int percent) {
    return """
      - name: red
        subsets:
          - {share-percent: %d, labels: {version: canary}}
        upstreams:
          - {address: '%s'}
          - {address: '%s', labels: {version: canary}}
    """
        .formatted(percent, red.address(), blue.address());
  }

  /** Returns how many of 100 new connections go to the second upstream. */
  private long bluePercent() {
    await()
        .untilAsserted(() -> assertThat(metric("waymark_lanes_open", blue.address())).isPositive());
    long before = metric("waymark_upstream_connections_attached_total", blue.address());
    List<Client> clients = Clients.connect(100, bridge.port());
    Clients.inParallel(clients, client -> client.echo(10));
    Clients.close(clients);
    return metric("waymark_upstream_connections_attached_total", blue.address()) - before;
  }

  @Test
  void weights_changed_applyToNewConnections() throws IOException {
    write(listener("game", 0, "red"), weighted(1, 1));
    assertThat(reload().getFirst()).startsWith("pool red changed: ");
    try (Client old = bridge.connect().echo(1_000)) {
      assertThat(bluePercent()).isBetween(40L, 60L);
      write(listener("game", 0, "red"), weighted(9, 1));
      bridge.process().signal("HUP");
      bridge.process().awaitLineWith("reloaded cause=signal", "pool red", "upstreams[0].weight");
      assertThat(bluePercent()).isBetween(5L, 15L);
      write(listener("game", 0, "red"), weighted(9, 0));
      assertThat(bridge.admin().refusal(422, "/reload")).contains("weight: 0");
      assertThat(bluePercent()).isBetween(5L, 15L);
      old.echo(1_000);
    }
  }

  @Test
  void canaryShare_changed_appliesToNewConnections() throws IOException {
    write(listener("game", 0, "red"), canary(0));
    reload();
    assertThat(bluePercent()).isZero();
    write(listener("game", 0, "red"), canary(5));
    assertThat(reload()).containsExactly("pool red changed: subsets[0].share-percent");
    assertThat(bluePercent()).isBetween(2L, 9L);
    write(listener("game", 0, "red"), canary(60));
    bridge.process().signal("HUP");
    bridge.process().awaitLineWith("reloaded cause=signal", "share-percent");
    assertThat(bluePercent()).isBetween(50L, 70L);
    write(listener("game", 0, "red"), canary(101));
    assertThat(bridge.admin().refusal(422, "/reload")).contains("share-percent: 101");
    assertThat(bluePercent()).isBetween(50L, 70L);
  }

  @Test
  void bridge_withoutAFile_refusesToReload() {
    try (Bridge plain = Bridge.inFrontOf(red)) {
      assertThat(plain.admin().refusal(409, "/reload")).contains("without a file");
      plain.process().signal("HUP");
      plain.process().awaitLineWith("reload-refused", "without a file");
      plain.connect().echo(1_000).close();
    }
  }

  @Test
  void signal_ignoredAtProcessStart_stillReloads() {
    try (Bridge plain = Bridge.start(launch -> launch.quick().ignoring("HUP"))) {
      await()
          .untilAsserted(() -> {
            plain.process().signal("HUP");
            assertThat(plain.process().stderr()).contains("reload-refused", "without a file");
          });
    }
  }

  @Test
  void reloads_concurrent_runOneAfterAnother() throws IOException {
    write(listener("game", 0, "red") + listener("chat", 0, "red"), pool("red", red));
    List<Integer> statuses = new CopyOnWriteArrayList<>();
    Clients.inParallel(
        Collections.nCopies(12, "/reload"), path -> statuses.add(bridge.admin().postStatus(path)));
    assertThat(statuses).hasSize(12).contains(200);
    assertThat(statuses).allMatch(status -> status == 200 || status == 409);
    assertThat(bridge.process().stderr())
        .containsOnlyOnce("listener chat added")
        .containsOnlyOnce("listener-open listener=chat");
    Client.connect(portOf("chat")).echo(1_000).close();
  }

  @Test
  void reloads_underLoad_disturbNoClient() throws IOException {
    List<Client> clients = Clients.connect(20, bridge.port());
    try (var load =
        Clients.inBackground(() -> Clients.inParallel(clients, client -> client.echo(2_000_000)))) {
      for (int i = 0; i < 20; i++) {
        String extra =
            i % 2 == 0 ? listener("chat", 0, "blue", "idle-timeout: " + (i + 1) + "s") : "";
        write(
            listener("game", 0, "red", "connections-max: " + (100 + i)) + extra,
            pool("red", red) + (extra.isEmpty() ? "" : pool("blue", blue)));
        if (i % 5 == 4) {
          bridge.process().signal("HUP");
        }
        reload();
        bridge.connect().echo(100).close();
      }
      load.join();
    } finally {
      Clients.close(clients);
    }
    assertThat(bridge.process().stderr()).doesNotContain(" bug ");
  }
}
