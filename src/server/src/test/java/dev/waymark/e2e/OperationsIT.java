package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** What operators can do to a running bridge. All tests share a bridge and three stubs. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class OperationsIT {
  private static final String POOL = "pool=red&upstream=";

  private final List<Stub> stubs = new ArrayList<>();
  private int port;
  private String config = "";

  @SuppressWarnings("NullAway.Init")
  private Path file;

  @SuppressWarnings("NullAway.Init")
  private Bridge bridge;

  @BeforeAll
  void start(@TempDir Path folder) throws Exception {
    stubs.addAll(Scene.stubs(3));
    // Fixed, so that a port that is opened again is the same.
    port = Waymark.freePort();
    String upstreams = String.join(",", stubs.stream().map(Stub::address).toList());
    config =
        """
        listeners: [{name: game, address: "127.0.0.1:%d", pool: red}]
        pools: [{name: red, target: "static:///%s", policy: round-robin}]
        """
            .formatted(port, upstreams);
    file = folder.resolve("waymark.yml");
    Files.writeString(file, config);
    bridge = Bridge.configured(file);
  }

  @AfterAll
  void stop() {
    bridge.close();
    stubs.forEach(Stub::close);
  }

  private Client connect() {
    return Client.connect(port).echo(10);
  }

  private JsonObject upstream(Stub stub) {
    return JsonParser.parseString(bridge.admin().get("/upstreams"))
        .getAsJsonObject()
        .getAsJsonArray("upstreams")
        .asList()
        .stream()
        .map(one -> one.getAsJsonObject())
        .filter(one -> one.get("address").getAsString().equals(stub.address()))
        .findFirst()
        .orElseThrow();
  }

  private String stateOf(Stub stub) {
    JsonObject upstream = upstream(stub);
    return upstream.get("state").getAsString() + " " + upstream.get("drainedBy").getAsString();
  }

  private List<String> marks(String filter) {
    return JsonParser.parseString(bridge.admin().get("/connections?" + filter))
        .getAsJsonObject()
        .getAsJsonArray("connections")
        .asList()
        .stream()
        .map(one -> one.getAsJsonObject().get("mark").getAsString())
        .toList();
  }

  @Test
  void connection_closedByMark_endsWithFinOrRst() {
    try (Client client = connect();
        Client other = connect()) {
      String mark = bridge.admin().markOf(client.address());
      bridge.admin().post("/connections/close?mark=" + mark);
      client.expectEnd().end();
      bridge.assertClosed(client, "operator");
      bridge.admin().refusal(404, "/connections/close?mark=" + mark);
      bridge.process().awaitLineWith("admin-operation who=loopback", mark, "result=200");

      mark = bridge.admin().markOf(other.address());
      bridge.admin().post("/connections/close?with=rst&mark=" + mark);
      other.expectGone();
      bridge.assertClosed(other, "operator");
    }
    assertThat(bridge.admin().refusal(404, "/connections/close?mark=x")).contains("the mark 'x'");
  }

  @Test
  void upstream_drained_losesItsConnectionsAndGetsNoneUntilUndrained() {
    Stub leaving = stubs.get(0);
    List<Client> clients = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      clients.add(connect());
    }
    await().untilAsserted(() -> assertThat(leaving.marks()).isNotEmpty());
    bridge.admin().post("/upstreams/drain?" + POOL + leaving.address());
    assertThat(stateOf(leaving)).isEqualTo("draining operator");
    await().untilAsserted(() -> assertThat(leaving.marks()).isEmpty());
    for (int i = 0; i < 6; i++) {
      clients.add(connect());
    }
    assertThat(leaving.marks()).isEmpty();
    assertThat(marks("upstream=" + leaving.address())).isEmpty();
    clients.forEach(client -> client.echo(10));
    assertThat(bridge.admin().metric("waymark_replayed_bytes_total")).isZero();

    bridge.admin().post("/upstreams/undrain?" + POOL + leaving.address());
    assertThat(stateOf(leaving)).isEqualTo("serving ");
    await().untilAsserted(() -> assertThat(leaving.marks()).isNotEmpty());
    clients.forEach(Client::close);
    assertThat(bridge.admin().refusal(404, "/upstreams/drain?" + POOL + "nowhere:1"))
        .contains("no upstream nowhere:1 in the pool red");
    assertThat(bridge.admin().refusal(404, "/upstreams/drain?pool=blue&upstream=u:1"))
        .contains("no pool blue");
  }

  @Test
  void upstream_thatSaysDrainingWhileItsHealthIsServing_isShownAsDraining() {
    Stub leaving = stubs.get(2);
    leaving.admin().post("/drain");
    leaving.admin().post("/health?status=SERVING");
    await().untilAsserted(() -> assertThat(stateOf(leaving)).isEqualTo("draining upstream"));
    assertThat(upstream(leaving).get("health").getAsString()).isEqualTo("SERVING");
    assertThat(upstream(leaving).get("isServing").getAsBoolean()).isFalse();
    String[] series = {"upstream=\"" + leaving.address() + "\"", "state=\"draining\""};
    await()
        .untilAsserted(
            () -> assertThat(bridge.admin().metric("waymark_upstream_state", series)).isEqualTo(1));
    assertThat(bridge.admin().metric("waymark_pool_upstreams_serving")).isLessThanOrEqualTo(2);
  }

  @Test
  void bridge_drained_acceptsNobodyUntilUndrained() {
    try (Client client = connect()) {
      assertThat(bridge.admin().post("/drain")).contains("no clients are accepted");
      assertThat(bridge.admin().status("/readyz")).isEqualTo(503);
      assertThat(bridge.admin().metric("waymark_draining")).isEqualTo(1);
      assertThatThrownBy(() -> Client.connect(port)).isInstanceOf(UncheckedIOException.class);
      assertThat(bridge.admin().refusal(409, "/reload")).contains("POST /undrain");
      client.echo(100);
      bridge.admin().post("/undrain");
      assertThat(bridge.admin().status("/readyz")).isEqualTo(200);
      connect().close();
      bridge.admin().post("/undrain");
      client.echo(100);
    }
  }

  @Test
  void tokens_configuredByAReload_areRequiredOnLoopbackToo() throws Exception {
    Path tokens = file.resolveSibling("tokens");
    Files.writeString(tokens, "alice operate " + "0".repeat(64));
    Files.setPosixFilePermissions(tokens, PosixFilePermissions.fromString("rw-r--r--"));
    Files.writeString(file, config + "admin: {tokens: " + tokens + "}\n");
    assertThat(bridge.admin().refusal(422, "/reload")).contains("every user of this host");
    Files.setPosixFilePermissions(tokens, PosixFilePermissions.fromString("rw-r-----"));
    assertThat(bridge.admin().post("/reload")).contains("admin.tokens changed");
    assertThat(bridge.admin().status("/config")).isEqualTo(401);
    assertThat(bridge.admin().status("/healthz")).isEqualTo(200);
    Files.writeString(file, config);
    bridge.process().signal("HUP");
    bridge.process().awaitLineWith("reloaded cause=signal", "admin.tokens changed");
    assertThat(bridge.admin().status("/config")).isEqualTo(200);
  }

  @Test
  void connections_filtered_areThoseThatMatch() {
    try (Client client = connect();
        Client other = connect()) {
      String mark = bridge.admin().markOf(client.address());
      String otherMark = bridge.admin().markOf(other.address());
      String host = client.address().substring(0, client.address().lastIndexOf(':'));
      String owner = bridge.admin().connectionOf(client.address()).get("upstream").getAsString();
      assertThat(marks("mark=" + mark)).containsExactly(mark);
      assertThat(marks("mark=" + mark + "&listener=nowhere")).isEmpty();
      assertThat(marks("mark=nonsense")).isEmpty();
      assertThat(marks("source=" + host)).containsExactly(mark);
      assertThat(marks("source=127.0.0.0/8")).contains(mark, otherMark);
      assertThat(marks("source=10.0.0.0/8")).isEmpty();
      assertThat(marks("upstream=" + owner)).contains(mark);
      assertThat(marks("listener=game&pool=red&upstream=" + owner)).contains(mark);
      assertThat(marks("pool=blue")).isEmpty();
      String one = bridge.admin().get("/connections?pool=red&limit=1");
      assertThat(JsonParser.parseString(one).getAsJsonObject().get("total").getAsInt())
          .isGreaterThanOrEqualTo(2);
    }
  }

  @Test
  void readiness_requiringUpstreams_isLostWithTheLastOne() {
    assertThat(bridge.admin().status("/readyz?require=upstreams")).isEqualTo(200);
    stubs.forEach(stub -> bridge.admin().post("/upstreams/drain?" + POOL + stub.address()));
    assertThat(bridge.admin().status("/readyz?require=upstreams")).isEqualTo(503);
    assertThat(bridge.admin().status("/readyz?require=upstreams&pool=red")).isEqualTo(503);
    assertThat(bridge.admin().status("/readyz")).isEqualTo(200);
    stubs.forEach(stub -> bridge.admin().post("/upstreams/undrain?" + POOL + stub.address()));
    await()
        .untilAsserted(() ->
            assertThat(bridge.admin().status("/readyz?require=upstreams&pool=red")).isEqualTo(200));
  }
}
