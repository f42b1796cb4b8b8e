package dev.waymark.upstreams;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.config.PoolConfig;
import dev.waymark.config.PoolConfig.Registry;
import dev.waymark.config.PoolConfig.Target;
import dev.waymark.config.RegistryKeys;
import dev.waymark.config.UpstreamTlsKeys;
import dev.waymark.e2e.Etcd;
import dev.waymark.e2e.Relay;
import dev.waymark.engine.lane.UpstreamView;
import dev.waymark.etcd.EtcdFixture;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import dev.waymark.testing.Authority;
import dev.waymark.upstreams.discovery.SourceReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Discovery in a real etcd. The upstreams found are loopback addresses without a listener. */
class EtcdDiscoveryIT {
  @TempDir private Path folder;

  private static PoolConfig config(Etcd... members) {
    return configFor(Stream.of(members).map(Etcd::address).toArray(String[]::new));
  }

  private static PoolConfig configFor(String... servers) {
    return Fixtures.pool(
        f -> f.target = new Target.Registered(Registry.ETCD, List.of(servers), "svc/echo"));
  }

  private static RecordedPool pool(PoolConfig config) {
    return new RecordedPool(config, Optional.empty());
  }

  private static ConditionFactory await() {
    return Awaitility.await().atMost(Duration.ofSeconds(15)).pollInterval(Duration.ofMillis(10));
  }

  @Test
  void service_gainsAndLosesInstances_poolFollows() {
    try (var etcd = Etcd.start(folder)) {
      etcd.register("svc/echo/a", "127.0.0.2:9");
      // Not below the prefix: another service.
      etcd.register("svc/echo2/a", "127.0.0.9:9");
      etcd.register("svc/echo", "127.0.0.9:9");
      try (var pool = pool(config(etcd))) {
        pool.awaitAddresses("127.0.0.2:9");
        etcd.register("svc/echo/b", "127.0.0.3:9");
        pool.awaitAddresses("127.0.0.2:9", "127.0.0.3:9");
        etcd.register("svc/echo/a", "127.0.0.4:9");
        pool.awaitAddresses("127.0.0.3:9", "127.0.0.4:9");
        etcd.ctl("del", "--prefix", "svc/echo/");
        pool.awaitAddresses();
        pool.awaitEvent("failed svc/echo no key in etcd begins with svc/echo/");
        assertThat(pool.events)
            .contains("gone 127.0.0.2:9", "gone 127.0.0.3:9", "gone 127.0.0.4:9")
            .doesNotContain("found 127.0.0.9:9");
        etcd.register("svc/echo/a", "127.0.0.2:9");
        pool.awaitAddresses("127.0.0.2:9");
        assertThat(pool.manager.discoveryProblem()).isEmpty();
        SourceReport source = pool.manager.report().join().source();
        assertThat(source.server().map(SourceReport.Server::address)).contains(etcd.address());
        assertThat(source.version()).startsWith("revision ");
        assertThat(source.entries())
            .extracting(entry -> entry.endpoint().address())
            .containsExactly("127.0.0.2:9");
        etcd.kill();
        pool.awaitEvent("failed svc/echo " + etcd.address() + ": connection refused");
        SourceReport later = pool.manager.report().join().source();
        assertThat(later.server()).isEmpty();
        assertThat(later.heardNs()).isPresent();
      }
    }
  }

  // --- values ---

  @Test
  void metadata_thatIsOurs_isUsed_andOthersDoNotHurt() {
    try (var etcd = Etcd.start(folder)) {
      etcd.put(
          "svc/echo/a",
          """
          {"Op":0,"Addr":"127.0.0.2:9","Metadata":{"weight":3,"priority":0,"labels":{"zone":"eu-1a"},"load":{"inFlight":2}}}\
          """);
      etcd.put("svc/echo/b", "{\"Addr\":\"127.0.0.3:9\",\"Metadata\":\"text\"}");
      etcd.put("svc/echo/c", "{\"Addr\":\"127.0.0.4:9\",\"Metadata\":{\"weight\":\"a lot\"}}");
      etcd.put("svc/echo/d", "{\"Addr\":\"127.0.0.5:9\",\"Metadata\":{\"health\":\"DRAINING\"}}");
      try (var pool = pool(config(etcd))) {
        pool.awaitAddresses("127.0.0.2:9", "127.0.0.3:9", "127.0.0.4:9");
        assertThat(pool.views()).extracting(UpstreamView::weight).containsExactly(3, 1, 1);
        assertThat(pool.views())
            .extracting(UpstreamView::labels)
            .containsExactly(Map.of("zone", "eu-1a"), Map.of(), Map.of());
        assertThat(pool.manager.discoveryProblem()).isEmpty();
      }
    }
  }

  @Test
  void address_underTwoKeys_isOneUpstream_untilBothAreGone() {
    try (var etcd = Etcd.start(folder)) {
      etcd.register("svc/echo/a", "127.0.0.2:9");
      etcd.register("svc/echo/b", "127.0.0.2:9");
      try (var pool = pool(config(etcd))) {
        pool.awaitAddresses("127.0.0.2:9");
        etcd.ctl("del", "svc/echo/a");
        etcd.register("svc/echo/c", "127.0.0.3:9");
        pool.awaitAddresses("127.0.0.2:9", "127.0.0.3:9");
        etcd.ctl("del", "svc/echo/b");
        pool.awaitAddresses("127.0.0.3:9");
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "garbage|expected a JSON object with an address in Addr",
        "\"127.0.0.2:9\"|expected a JSON object with an address in Addr",
        "{}|expected an address in Addr",
        "{\"Addr\":\"nowhere\"}|expected in Addr HOST:PORT, such as 127.0.0.1:7000 or [::1]:7000",
      })
  void value_thatCannotBeRead_costsItsInstance_andIsReported(String value, String problem) {
    try (var etcd = Etcd.start(folder)) {
      etcd.register("svc/echo/a", "127.0.0.2:9");
      etcd.register("svc/echo/b", "127.0.0.3:9");
      try (var pool = pool(config(etcd))) {
        pool.awaitAddresses("127.0.0.2:9", "127.0.0.3:9");
        etcd.put("svc/echo/a", value);
        pool.awaitAddresses("127.0.0.3:9");
        pool.awaitEvent("failed svc/echo svc/echo/a: " + problem);
        assertThat(pool.manager.discoveryProblem().orElseThrow().kind())
            .isEqualTo(Kind.REGISTRY_DATA);
        etcd.register("svc/echo/a", "127.0.0.2:9");
        pool.awaitAddresses("127.0.0.2:9", "127.0.0.3:9");
        assertThat(pool.manager.discoveryProblem()).isEmpty();
      }
    }
  }

  // --- size ---

  @Test
  void list_ofManyKeys_isReadInPages() {
    try (var etcd = Etcd.start(folder);
        var fixture = new EtcdFixture()) {
      var publisher = fixture.publisher(30, etcd);
      for (int i = 0; i < 1_200; i++) {
        publisher.put("svc/echo/" + i, value("127.0.%d.%d:9".formatted(1 + i / 250, 1 + i % 250)));
      }
      await().until(publisher::isComplete);
      try (var pool = pool(config(etcd))) {
        await().until(() -> pool.addresses().size() == 1_200);
      }
    }
  }

  @Test
  void list_largerThanAnAnswerMayBe_isReadInSmallerPages() {
    try (var etcd = Etcd.start(folder);
        var fixture = new EtcdFixture()) {
      var publisher = fixture.publisher(30, etcd);
      String large = "x".repeat(30_000);
      for (int i = 0; i < 200; i++) {
        publisher.put("svc/echo/large-" + i, large);
      }
      publisher.put("svc/echo/z", value("127.0.0.2:9"));
      await().until(publisher::isComplete);
      try (var pool = pool(config(etcd))) {
        pool.awaitAddresses("127.0.0.2:9");
        pool.awaitEvent(
            "failed svc/echo svc/echo/large-0: expected a JSON object with an address in Addr (and 199 more)");
      }
    }
  }

  @Test
  void list_ofTooManyBytes_isReported_andTheKnownUpstreamsStay() {
    try (var etcd = Etcd.start(folder);
        var fixture = new EtcdFixture()) {
      etcd.register("svc/echo/a", "127.0.0.2:9");
      try (var pool = pool(config(etcd))) {
        pool.awaitAddresses("127.0.0.2:9");
        var publisher = fixture.publisher(30, etcd);
        String large = "x".repeat(32_000);
        for (int i = 0; i < 530; i++) {
          publisher.put("svc/echo/large-" + i, large);
        }
        await().until(publisher::isComplete);
        await()
            .until(() ->
                pool.manager
                    .discoveryProblem()
                    .filter(
                        problem -> problem.text().equals("too many keys or bytes below svc/echo/"))
                    .isPresent());
        assertThat(pool.addresses()).containsExactly("127.0.0.2:9");
        publisher.end();
        etcd.register("svc/echo/b", "127.0.0.3:9");
        pool.awaitAddresses("127.0.0.2:9", "127.0.0.3:9");
      }
    }
  }

  private static String value(String address) {
    return "{\"Op\":0,\"Addr\":\"" + address + "\",\"Metadata\":null}";
  }

  // --- etcd goes and comes ---

  @Test
  void etcd_killed_upstreamsStay_andChangesAreNoticedWhenItIsBack() {
    try (var etcd = Etcd.start(folder)) {
      etcd.register("svc/echo/a", "127.0.0.2:9");
      try (var pool = pool(config(etcd))) {
        pool.awaitAddresses("127.0.0.2:9");
        etcd.kill();
        pool.awaitEvent("failed svc/echo " + etcd.address() + ": connection refused");
        assertThat(pool.addresses()).containsExactly("127.0.0.2:9");
        etcd.restart();
        await().until(() -> pool.manager.discoveryProblem().isEmpty());
        etcd.register("svc/echo/b", "127.0.0.3:9");
        pool.awaitAddresses("127.0.0.2:9", "127.0.0.3:9");
        assertThat(pool.events).doesNotContain("gone 127.0.0.2:9");
      }
    }
  }

  @Test
  void lease_thatEnds_removesTheInstance_butNotWhileEtcdIsDown() {
    try (var etcd = Etcd.start(folder);
        var fixture = new EtcdFixture()) {
      etcd.register("svc/echo/a", "127.0.0.2:9");
      var publisher = fixture.publisher(2, etcd);
      publisher.put("svc/echo/b", value("127.0.0.3:9"));
      try (var pool = pool(config(etcd))) {
        pool.awaitAddresses("127.0.0.2:9", "127.0.0.3:9");
        etcd.kill();
        await().until(() -> !publisher.isComplete());
        etcd.restart();
        await().until(publisher::isComplete);
        await().until(() -> pool.manager.discoveryProblem().isEmpty());
        assertThat(pool.addresses()).containsExactly("127.0.0.2:9", "127.0.0.3:9");
        assertThat(pool.events).doesNotContain("gone 127.0.0.3:9");
        publisher.die();
        pool.awaitAddresses("127.0.0.2:9");
      }
    }
  }

  @Test
  void etcd_compactedWhileTheBridgeIsAway_isListedAgain() {
    try (var etcd = Etcd.start(folder);
        var relay = Relay.to(etcd.address())) {
      etcd.register("svc/echo/a", "127.0.0.2:9");
      etcd.register("svc/echo/b", "127.0.0.3:9");
      try (var pool = pool(configFor(relay.address()))) {
        pool.awaitAddresses("127.0.0.2:9", "127.0.0.3:9");
        relay.cut();
        pool.awaitEvent("failed svc/echo");
        etcd.ctl("del", "svc/echo/a");
        etcd.register("svc/echo/c", "127.0.0.4:9");
        etcd.ctl("compact", revision(etcd));
        relay.join();
        pool.awaitAddresses("127.0.0.3:9", "127.0.0.4:9");
        assertThat(pool.manager.discoveryProblem()).isEmpty();
      }
    }
  }

  private static String revision(Etcd etcd) {
    String status = etcd.ctl("endpoint", "status", "--write-out=fields");
    return status
        .lines()
        .filter(line -> line.startsWith("\"Revision\""))
        .map(line -> line.replaceAll("\\D", ""))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void etcd_thatHasLostItsData_isDoubted_andTheUpstreamsStay() {
    try (var etcd = Etcd.start(folder)) {
      etcd.register("svc/echo/a", "127.0.0.2:9");
      etcd.register("svc/echo/b", "127.0.0.3:9");
      try (var pool = pool(config(etcd))) {
        pool.awaitAddresses("127.0.0.2:9", "127.0.0.3:9");
        etcd.kill();
        etcd.restartEmpty();
        awaitDoubt(pool, 2);
        assertThat(pool.addresses()).containsExactly("127.0.0.2:9", "127.0.0.3:9");
        etcd.register("svc/echo/a", "127.0.0.2:9");
        awaitDoubt(pool, 1);
        // It had come back.
        etcd.ctl("del", "svc/echo/a");
        pool.awaitAddresses("127.0.0.3:9");
      }
    }
  }

  private static void awaitDoubt(RecordedPool pool, int kept) {
    String problem =
        "etcd has lost its data; instances kept for a minute, until they come back: " + kept;
    await()
        .until(() ->
            pool.manager
                .discoveryProblem()
                .equals(Optional.of(new UpstreamProblem(Kind.REGISTRY_DOUBTED, problem))));
  }

  @Test
  void member_thatDies_isReplacedByAnother() {
    List<Etcd> cluster = Etcd.cluster(folder);
    try (var pool = pool(config(cluster.toArray(Etcd[]::new)))) {
      cluster.get(1).register("svc/echo/a", "127.0.0.2:9");
      pool.awaitAddresses("127.0.0.2:9");
      // The bridge begins with the first.
      cluster.getFirst().kill();
      await()
          .untilAsserted(() ->
              cluster
                  .get(1)
                  .ctl("put", "--command-timeout=1s", "svc/echo/b", value("127.0.0.3:9")));
      pool.awaitAddresses("127.0.0.2:9", "127.0.0.3:9");
      assertThat(pool.manager.discoveryProblem()).isEmpty();

      // The last one cannot decide anything alone, and must not be believed.
      cluster.get(1).kill();
      await()
          .until(() ->
              pool.manager
                  .discoveryProblem()
                  .filter(problem -> problem.text().startsWith(cluster.getLast().address()))
                  .isPresent());
      assertThat(pool.addresses()).containsExactly("127.0.0.2:9", "127.0.0.3:9");
    } finally {
      cluster.forEach(Etcd::close);
    }
  }

  // --- access ---

  @Test
  void login_isNeeded_andItsFailureReported() throws IOException {
    try (var etcd = Etcd.start(folder)) {
      etcd.register("svc/echo/a", "127.0.0.2:9");
      etcd.enableAuth("svc/echo/");
      try (var pool = pool(config(etcd))) {
        pool.awaitEvent(
            "failed svc/echo "
                + etcd.address()
                + ": PERMISSION_DENIED: etcdserver: user name is empty");
        assertThat(pool.manager.discoveryProblem().orElseThrow().kind())
            .isEqualTo(Kind.REGISTRY_DENIED);
      }
      Path password = secret("password", "wrong\n");
      PoolConfig config =
          config(etcd)
              .with(RegistryKeys.USERNAME, "node")
              .with(RegistryKeys.PASSWORD_FILE, Optional.of(password));
      try (var pool = pool(config)) {
        pool.awaitEvent(
            "failed svc/echo "
                + etcd.address()
                + ": PERMISSION_DENIED: etcdserver: authentication failed, invalid user ID or password");
        secret("password", "secret\n");
        pool.awaitAddresses("127.0.0.2:9");
        etcd.kill();
        pool.awaitEvent("failed svc/echo " + etcd.address() + ": connection refused");
        // It has forgotten the token.
        etcd.restart();
        await().until(() -> pool.manager.discoveryProblem().isEmpty());
        Files.setPosixFilePermissions(password, PosixFilePermissions.fromString("rw-r--r--"));
        etcd.kill();
        etcd.restart();
        pool.awaitEvent(
            "failed svc/echo "
                + password
                + ": every user of this host has access (mode rw-r--r--)");
        assertThat(pool.addresses()).containsExactly("127.0.0.2:9");
      }
    }
  }

  private Path secret(String name, String text) throws IOException {
    Path file = Files.writeString(folder.resolve(name), text);
    return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
  }

  @Test
  void tls_withAClientCertificate_isSpoken() throws IOException {
    Authority.assumeOpenssl();
    Authority authority = Authority.root(folder.resolve("ca"), "etcd");
    var server = authority.issue(Authority.Request.server("etcd").names("IP:127.0.0.1"));
    var bridge = authority.issue(Authority.Request.client("bridge"));
    try (var etcd =
        Etcd.startTls(
            folder,
            "--cert-file=" + server.certificate(),
            "--key-file=" + server.key(),
            "--client-cert-auth=true",
            "--trusted-ca-file=" + authority.certificate())) {
      etcd.setCtlFlags(
          "--cacert=" + authority.certificate(),
          "--cert=" + bridge.certificate(),
          "--key=" + bridge.key());
      etcd.register("svc/echo/a", "127.0.0.2:9");
      PoolConfig tls =
          config(etcd)
              .with(RegistryKeys.TLS, UpstreamTlsKeys.Mode.REQUIRED)
              .with(RegistryKeys.CA, Optional.of(authority.certificate()));
      try (var pool = pool(tls)) {
        pool.awaitEvent("failed svc/echo " + etcd.address() + ": ");
        assertThat(pool.manager.discoveryProblem().orElseThrow().kind())
            .isEqualTo(Kind.TLS_REFUSED);
      }
      PoolConfig whole =
          tls.with(RegistryKeys.CERTIFICATE, Optional.of(bridge.certificate()))
              .with(RegistryKeys.KEY, Optional.of(bridge.key()));
      try (var pool = pool(whole)) {
        pool.awaitAddresses("127.0.0.2:9");
      }
    }
  }
}
