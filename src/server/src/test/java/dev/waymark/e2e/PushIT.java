package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Rule 6: upstreams push to clients that they do not own. Two shards; three stubs in the pool of
 * the first listener, one in a pool that may push to it, one in a pool that may not.
 */
final class PushIT {
  private static final String ECHOED = ".";

  private static List<Stub> stubs;
  private static Stub guest;
  private static Stub stranger;
  private static Bridge bridge;

  @BeforeAll
  static void start(@TempDir Path folder) throws IOException {
    stubs = Stream.generate(() -> Stub.start("--announcements")).limit(3).toList();
    guest = Stub.start();
    stranger = Stub.start("--announcements");
    Path file = folder.resolve("waymark.yml");
    Files.writeString(
        file,
        """
        shards: 2
        lanes:
          push-wait: 2s
        listeners:
          - {name: main, address: "127.0.0.1:0", pool: main, push-from: guests}
          - {name: other, address: "127.0.0.1:0", pool: strangers}
        pools:
          - {name: main, target: "static:///%s"}
          - {name: guests, target: "static:///%s"}
          - {name: strangers, target: "static:///%s"}
        """
            .formatted(
                stubs.stream().map(Stub::address).collect(Collectors.joining(",")),
                guest.address(),
                stranger.address()));
    bridge = Bridge.configured(file);
    await().until(() -> bridge.admin().metric("waymark_lanes_open") == 10);
  }

  @AfterAll
  static void stop() {
    try (var _ = stubs.get(0);
        var _ = stubs.get(1);
        var _ = stubs.get(2);
        var _ = guest;
        var _ = stranger;
        var _ = bridge) {
      assertThat(bridge.process().isAlive()).as(bridge.process().describe()).isTrue();
      await().until(() -> bridge.admin().metric("waymark_connections_open") == 0);
      assertThat(bridge.admin().metric("waymark_memory_held_bytes")).isZero();
      bridge.lookForLeaks();
    }
  }

  @Test
  void push_byAnyUpstream_reachesClientsOfEveryShard() {
    List<Client> clients = Clients.connect(8, bridge.port());
    for (Client client : clients) {
      String mark = echoed(client);
      for (Stub stub : stubs) {
        assertThat(outcome(stub, mark, "hello")).isEqualTo("written");
        assertThat(read(client, 5)).isEqualTo("hello");
      }
      assertThat(outcome(guest, mark, "guest")).isEqualTo("written");
      assertThat(read(client, 5)).isEqualTo("guest");
    }
    Clients.close(clients);
    assertThat(bridge.admin().metric("waymark_pushes_total", "outcome=\"written\""))
        .isGreaterThanOrEqualTo(32);
  }

  @Test
  void push_duringAReply_isWrittenAfterTheWholeReply() {
    try (Client client = bridge.connect()) {
      String mark = echoed(client);
      Stub owner = owner(mark);
      Stub other = stubs.stream().filter(stub -> stub != owner).findFirst().orElseThrow();
      owner.admin().post("/send?part=true&mark=" + mark, "one ");
      assertThat(read(client, 4)).isEqualTo("one ");
      var pushing =
          Clients.inBackground(() -> assertThat(outcome(other, mark, "PUSH")).isEqualTo("written"));
      // The push is waiting: the bridge holds its bytes.
      await().until(() -> bridge.admin().metric("waymark_memory_held_bytes") > 0);
      owner.admin().post("/send?part=true&mark=" + mark, "two ");
      client.write(ECHOED.getBytes(StandardCharsets.ISO_8859_1));
      assertThat(read(client, 9)).isEqualTo("two .PUSH");
      pushing.join();
      pushing.close();
    }
  }

  @Test
  void pushes_byOneUpstream_arriveInOrder() {
    try (Client client = bridge.connect()) {
      String mark = echoed(client);
      for (int i = 100; i < 150; i++) {
        assertThat(outcome(stubs.getFirst(), mark, Integer.toString(i))).isEqualTo("written");
      }
      assertThat(read(client, 150))
          .isEqualTo(
              IntStream.range(100, 150).mapToObj(Integer::toString).collect(Collectors.joining()));
    }
  }

  @Test
  void push_thatCannotBeWritten_isAnsweredWithTheReason() {
    Client client = bridge.connect();
    String mark = echoed(client);
    Stub stub = stubs.getFirst();
    assertThat(outcome(stub, mark + "&epoch=7", "x")).isEqualTo("fenced");
    assertThat(outcome(stub, mark + "&epoch=0", "x")).isEqualTo("written");
    assertThat(outcome(stranger, mark, "x")).isEqualTo("forbidden");
    assertThat(outcome(stub, neverGiven(mark), "x")).isEqualTo("forbidden");
    assertThat(outcome(stub, "7zzzzzzzzzzzz-000000001", "x")).isEqualTo("no_lane");
    assertThat(outcome(stub, "nonsense", "x")).isEqualTo("never_existed");

    owner(mark).admin().post("/send?part=true&mark=" + mark, "part");
    var waiting =
        Clients.inBackground(
            () -> assertThat(outcome(stub, mark, "y".repeat(60_000))).isEqualTo("expired"));
    await().until(() -> bridge.admin().metric("waymark_memory_held_bytes") >= 60_000);
    JsonObject full = push(stub, mark, "y".repeat(6_000));
    assertThat(full.get("outcome").getAsString()).isEqualTo("full");
    assertThat(full.get("waitingBytes").getAsLong()).isEqualTo(60_000);
    waiting.join();
    waiting.close();

    client.reset();
    bridge.awaitClosed(client);
    await().until(() -> outcome(stub, mark, "x").equals("gone"));
    JsonObject gone = push(stub, mark, "x");
    assertThat(gone.get("reason").getAsString()).isEqualTo("client_reset");
    assertThat(gone.get("closedUnixMs").getAsLong())
        .isBetween(System.currentTimeMillis() - 60_000, System.currentTimeMillis() + 1_000);
    assertThat(outcome(stranger, mark, "x")).isEqualTo("forbidden");
  }

  @Test
  void announcements_onThreeLanes_coverAllConnectionsOfTheListener() {
    List<Client> clients = Clients.connect(9, bridge.port());
    Client foreign = Client.connect(bridge.port(1));
    Set<String> marks = clients.stream().map(PushIT::echoed).collect(Collectors.toSet());
    String foreignMark = echoed(foreign);
    for (Stub stub : stubs) {
      await().until(() -> announced(stub).containsAll(marks));
      assertThat(announced(stub)).doesNotContain(foreignMark);
      assertThat(json(stub, "/announced").get("syncedLanes").getAsInt()).isEqualTo(2);
    }
    assertThat(announced(stranger)).containsExactly(foreignMark);
    clients.forEach(Client::reset);
    foreign.reset();
    for (Stub stub : stubs) {
      await().until(() -> announced(stub).stream().noneMatch(marks::contains));
    }
    await().until(() -> announced(stranger).isEmpty());
  }

  /** Echoes a byte, so that the client has an owner, and returns its mark. */
  private static String echoed(Client client) {
    client.write(ECHOED.getBytes(StandardCharsets.ISO_8859_1));
    assertThat(read(client, 1)).isEqualTo(ECHOED);
    return bridge.admin().markOf(client.address());
  }

  private static Stub owner(String mark) {
    return stubs.stream().filter(stub -> stub.marks().contains(mark)).findFirst().orElseThrow();
  }

  private static String neverGiven(String mark) {
    return mark.substring(0, mark.indexOf('-')) + "-zzzzzzzzz";
  }

  private static String outcome(Stub stub, String mark, String text) {
    return push(stub, mark, text).get("outcome").getAsString();
  }

  private static JsonObject push(Stub stub, String mark, String text) {
    return stub.admin().post("/push?mark=" + mark, text);
  }

  private static Set<String> announced(Stub stub) {
    return json(stub, "/announced").getAsJsonArray("connections").asList().stream()
        .map(one -> one.getAsJsonObject().get("mark").getAsString())
        .collect(Collectors.toSet());
  }

  private static JsonObject json(Stub stub, String path) {
    return JsonParser.parseString(stub.admin().get(path)).getAsJsonObject();
  }

  private static String read(Client client, int bytes) {
    return new String(client.readExactly(bytes), StandardCharsets.ISO_8859_1);
  }
}
