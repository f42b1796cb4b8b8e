package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.waymark.net.tls.ServerTrust;
import dev.waymark.tools.ctl.AdminAddress;
import dev.waymark.tools.ctl.AdminClient;
import dev.waymark.tools.ctl.ExplainQuery;
import dev.waymark.tools.ctl.Explanation;
import dev.waymark.tools.directory.TestNode;
import dev.waymark.v1.Instance.Health;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** {@code waymark ctl} with a directory, a bridge and upstreams, each in its own process. */
class CtlIT {
  /** Departures within seconds after which a directory damps an instance for two minutes. */
  private static final int DEPARTURES = 8;

  private final String address = "127.0.0.1:" + Waymark.freePort();

  @SuppressWarnings("NullAway.Init")
  private DirectoryProcess directory;

  @SuppressWarnings("NullAway.Init")
  private ManagedChannel channel;

  @BeforeEach
  void start() {
    channel = NettyChannelBuilder.forTarget(address).usePlaintext().build();
  }

  @AfterEach
  void stop() {
    channel.shutdownNow();
    directory.close();
  }

  private void startDirectory(String ttl) {
    directory = DirectoryProcess.at(address, "--ttl=" + ttl);
  }

  @Test
  void explain_saysOfEachInstanceWhyItIsNotUsed_andSurvivesTheDirectory() throws Exception {
    // No heartbeat is due while the test runs.
    startDirectory("10m");
    String closed = "127.0.0.1:" + Waymark.freePort();
    String draining = "127.0.0.1:" + Waymark.freePort();
    String damped = "127.0.0.1:" + Waymark.freePort();
    for (int i = 0; i < DEPARTURES; i++) {
      TestNode flapping = TestNode.open(channel, "flapping", 0, TestNode.echo(damped));
      flapping.response();
      flapping.leave();
      assertThat(flapping.end().isOk()).isTrue();
    }
    try (Stub healthy = Stub.start();
        Stub sick = Stub.start()) {
      sick.admin().post("/health?status=NOT_SERVING");
      TestNode node =
          TestNode.open(
              channel,
              "node",
              0,
              TestNode.echo(healthy.address()).toBuilder().putLabels("zone", "z").build(),
              TestNode.echo(sick.address()),
              TestNode.echo(closed),
              TestNode.echo(damped),
              TestNode.echo(draining).toBuilder().setHealth(Health.DRAINING).build());
      assertThat(node.response().getRefusedCount()).isZero();
      try (Bridge bridge = bridge();
          Client client = bridge.connect()) {
        client.echo(100);
        assertExplained(bridge, healthy, closed, draining, damped, sick);
        assertPrinted(bridge, healthy, closed, damped);
        assertDirectoryTables();
        assertUnknownServiceFails(bridge);
        assertDeathAndRestartAreExplained(bridge, healthy.address());
      }
    }
  }

  private Bridge bridge() {
    return Bridge.start(Waymark.Launch::quick, "--upstream=" + directory.target("echo"));
  }

  private static void assertExplained(
      Bridge bridge, Stub healthy, String closed, String draining, String damped, Stub sick) {
    await()
        .untilAsserted(() -> {
          assertThat(why(bridge, healthy.address())).isEmpty();
          assertThat(why(bridge, closed)).startsWith("connection refused");
          assertThat(why(bridge, draining)).isEqualTo("it is registered as draining");
          assertThat(why(bridge, damped)).startsWith("it comes and goes too often");
          assertThat(why(bridge, sick.address()))
              .isEqualTo("its health service reports NOT_SERVING");
        });
    JsonObject used = instance(bridge, healthy.address());
    assertThat(used.get("isUsed").getAsBoolean()).isTrue();
    assertThat(used.get("connections").getAsInt()).isEqualTo(1);
    assertThat(instance(bridge, draining).get("forMs").getAsLong()).isPositive();
    JsonObject zone = new JsonObject();
    zone.addProperty("zone", "z");
    assertThat(json(bridge.admin(), "/upstreams").getAsJsonArray("upstreams"))
        .extracting(each -> each.getAsJsonObject().getAsJsonObject("labels"))
        .contains(zone);
  }

  private void assertPrinted(Bridge bridge, Stub healthy, String closed, String damped) {
    String all = ctl(0, "explain", "echo", "--admin=" + bridge.admin().address()).stdout();
    assertThat(all.lines()).allMatch(line -> line.length() <= 100);
    assertThat(all)
        .contains("5 instances, 3 usable", "pool default follows " + directory.target("echo"))
        .contains("\n" + healthy.address() + "\n", "zone=z; node node, heartbeat ")
        .containsPattern("pool default +used for .*; weight 1.*; 1 connection\n")
        .containsPattern("directory +healthy, damped for another .*; node node")
        .containsPattern("pool default +not used for .*, down: connection refused");
    String one =
        explain("echo/" + damped, bridge.admin().address(), "127.0.0.1:" + Waymark.freePort());
    assertThat(one)
        .contains("cannot connect: connection refused", damped + "\n")
        .doesNotContain(closed);
  }

  private void assertDirectoryTables() {
    assertThat(ctl(0, "directory", "watchers").stdout())
        .startsWith("WATCHER")
        .containsPattern("default .* echo\n");
  }

  private void assertUnknownServiceFails(Bridge bridge) {
    Waymark unknown = ctl(1, "explain", "nobody", "--json", "--admin=" + bridge.admin().address());
    JsonObject raw = (JsonObject) JsonParser.parseString(unknown.stdout());
    JsonObject first = raw.getAsJsonArray("bridges").get(0).getAsJsonObject();
    assertThat(first.get("error").getAsString()).startsWith("no pool is named 'nobody'");
    assertThat(unknown.stderr()).contains("nobody who has answered knows nobody");
  }

  private void assertDeathAndRestartAreExplained(Bridge bridge, String healthy) {
    directory.process().kill();
    await()
        .untilAsserted(() -> {
          JsonObject source = source(bridge);
          assertThat(source.get("server").getAsString()).isEmpty();
          assertThat(source.get("cause").getAsString()).isEqualTo("connection_refused");
          assertThat(source.get("problemForMs").getAsLong()).isPositive();
        });
    assertThat(why(bridge, healthy)).isEmpty();
    startDirectory("10m");
    await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() -> {
          JsonObject source = source(bridge);
          assertThat(source.get("kept").getAsInt()).isEqualTo(5);
          assertThat(source.get("cause").getAsString()).isEqualTo("registry_doubted");
          assertThat(source.get("server").getAsString()).isEqualTo(address);
        });
    assertThat(why(bridge, healthy)).isEmpty();
    assertThat(explain("echo", bridge.admin().address()))
        .contains("it has just started", "does not know it", "kept though the registry");
  }

  @Test
  void directoryThatWasFrozen_hasNoProblemOnceItAnswersAgain() {
    startDirectory("1s");
    try (Bridge bridge = bridge()) {
      awaitCause(bridge, "no_address");
      directory.process().signal("STOP");
      awaitCause(bridge, "registry_failed");
      directory.process().signal("CONT");
      awaitCause(bridge, "no_address");
    }
  }

  private static void awaitCause(Bridge bridge, String cause) {
    await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> source(bridge).get("cause").getAsString(), cause::equals);
  }

  private Waymark ctl(int exitCode, String... args) {
    String[] line =
        Stream.concat(
                Stream.concat(Stream.of("ctl"), Stream.of(args)),
                Stream.of("--directory-admin=" + directory.admin().address(), "--timeout=20s"))
            .toArray(String[]::new);
    Waymark ctl = Waymark.command(line).quick().start();
    assertThat(ctl.exitCode()).as(ctl::describe).isEqualTo(exitCode);
    return ctl;
  }

  /** The text that ctl prints, without a process of its own. */
  private String explain(String what, String... bridges) {
    ExplainQuery query = ExplainQuery.read(what);
    try (AdminClient client =
        new AdminClient(ServerTrust.context(null, false), Duration.ofSeconds(20))) {
      Explanation found =
          new Explanation(
              query, query.ask(client, List.of(port(directory.admin().address())), ports(bridges)));
      assertThat(found.isFound()).isTrue();
      return found.text();
    } catch (IOException | GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static List<AdminAddress> ports(String... admins) {
    return Stream.of(admins).map(CtlIT::port).toList();
  }

  private static AdminAddress port(String admin) {
    return AdminAddress.read(admin, Optional.empty(), "").orElseThrow();
  }

  private static String why(Bridge bridge, String instance) {
    return instance(bridge, instance).get("why").getAsString();
  }

  private static JsonObject instance(Bridge bridge, String instance) {
    return pool(bridge).getAsJsonArray("instances").asList().stream()
        .map(JsonElement::getAsJsonObject)
        .filter(each -> each.get("address").getAsString().equals(instance))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no " + instance + " in " + pool(bridge)));
  }

  private static JsonObject source(Bridge bridge) {
    return pool(bridge).getAsJsonObject("source");
  }

  private static JsonObject pool(Bridge bridge) {
    JsonObject answer = json(bridge.admin(), "/explain?service=echo");
    return answer.getAsJsonArray("pools").get(0).getAsJsonObject();
  }

  private static JsonObject json(AdminPort admin, String path) {
    return JsonParser.parseString(admin.get(path)).getAsJsonObject();
  }
}
