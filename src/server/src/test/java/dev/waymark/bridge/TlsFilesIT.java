package dev.waymark.bridge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.waymark.protocol.CloseReason;
import dev.waymark.testing.Authority;
import dev.waymark.testing.Authority.Issued;
import dev.waymark.testing.Authority.Request;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** Files for TLS that change, through sockets, with each engine. */
@ParameterizedClass
@ValueSource(strings = {"boringssl", "jdk"})
final class TlsFilesIT {
  @TempDir private Path folder;

  @Parameter
  @SuppressWarnings("NullAway.Init")
  private String engine;

  @SuppressWarnings("NullAway.Init")
  private Authority root;

  @SuppressWarnings("NullAway.Init")
  private TlsBridge bridge;

  private Path live;

  @BeforeEach
  void start() throws Exception {
    Authority.assumeOpenssl();
    root = Authority.root(folder.resolve("root"), "root");
    live = Files.createDirectories(folder.resolve("live"));
    put(root.issue(Request.server("one.example")));
    replace(root.certificate(), live.resolve("ca.pem"));
    replace(root.revocationList(), live.resolve("crl.pem"));
    bridge =
        TlsBridge.start(
            folder,
            "name: server, " + tls(""),
            "name: mutual, " + mutual("on"),
            "name: lenient, " + mutual("off"));
  }

  private String tls(String more) {
    return "tls: {engine: %s, certificates: [{certificate: %s, key: %s}]%s}"
        .formatted(engine, live.resolve("tls.crt"), live.resolve("tls.key"), more);
  }

  private String mutual(String recheck) {
    return tls(
        ", client-auth: required, client-ca: %s, client-crl: %s, recheck-clients: %s"
            .formatted(live.resolve("ca.pem"), live.resolve("crl.pem"), recheck));
  }

  @AfterEach
  void stop() throws InterruptedException {
    bridge.stop();
  }

  /** Within a second of its replacement, plus what a busy machine takes. */
  private static ConditionFactory awaitChange() {
    return await().atMost(TlsBridge.TIMEOUT).pollInterval(Duration.ofMillis(20));
  }

  private static void replace(Path from, Path to) throws IOException {
    Path copy = to.resolveSibling(to.getFileName() + ".new");
    Files.copy(from, copy, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.COPY_ATTRIBUTES);
    Files.move(copy, to, StandardCopyOption.ATOMIC_MOVE);
  }

  private void put(Issued pair) throws IOException {
    replace(pair.certificate(), live.resolve("tls.crt"));
    replace(pair.key(), live.resolve("tls.key"));
  }

  private TlsClient.Settings client() {
    return TlsClient.Settings.of(root.certificate());
  }

  private String presented() throws IOException {
    try (TlsClient client = client().connect(bridge.port("server"))) {
      return client.server().getSubjectX500Principal().getName();
    }
  }

  // --- certificates ---

  @Test
  void newPair_servesNewClients_andOldConnectionsGoOn() throws Exception {
    try (TlsClient old = client().connect(bridge.port("server"))) {
      put(root.issue(Request.server("two.example")));
      awaitChange().until(() -> presented().equals("CN=two.example"));
      old.echo("still here");
      assertThat(bridge.fileChanges("server", "loaded")).isEqualTo(1);
      assertThat(
              bridge.metric(
                  "waymark_tls_certificate_not_after_seconds",
                  "listener=\"server\"",
                  "name=\"two.example\""))
          .isGreaterThan(Instant.now().getEpochSecond());
      // The other listeners load the same pair after this one.
      assertThat(
              bridge.metric(
                  "waymark_tls_certificate_not_after_seconds",
                  "listener=\"server\"",
                  "name=\"one.example\""))
          .isZero();
    }
  }

  @Test
  void newPair_isLoggedWithItsSerialAndItsEnd() throws Exception {
    Issued two = root.issue(Request.server("two.example"));
    X509Certificate certificate = TlsClient.certificates(two.certificate())[0];
    try (RecordedLog log = new RecordedLog()) {
      put(two);
      log.await(
          "tls-files-loaded",
          "listener=\"server\"",
          "certificates=\"two.example\"",
          "serials=\"" + certificate.getSerialNumber().toString(16) + "\"",
          "not-after=\"" + certificate.getNotAfter().toInstant() + "\"");
    }
  }

  @Test
  void pairsThatCannotBeUsed_leaveTheFormerInForce() throws Exception {
    Issued fresh = root.issue(Request.server("two.example"));
    Instant now = Instant.now();
    Issued expired =
        root.issue(
            Request.server("old.example")
                .valid(now.minus(2, ChronoUnit.HOURS), now.minus(1, ChronoUnit.HOURS)));
    // The key of another.
    replace(fresh.certificate(), live.resolve("tls.crt"));
    awaitChange().until(() -> bridge.fileChanges("server", "refused") == 1);
    put(expired);
    awaitChange().until(() -> bridge.fileChanges("server", "refused") == 2);
    Files.delete(live.resolve("tls.key"));
    awaitChange().until(() -> bridge.fileChanges("server", "refused") == 3);
    assertThat(presented()).isEqualTo("CN=one.example");
    // Readable by everybody.
    Issued open = root.issue(Request.server("open.example"));
    Files.setPosixFilePermissions(open.key(), PosixFilePermissions.fromString("rw-r--r--"));
    put(open);
    awaitChange().until(() -> bridge.fileChanges("server", "refused") == 4);
    assertThat(presented()).isEqualTo("CN=one.example");
    put(fresh);
    awaitChange().until(() -> presented().equals("CN=two.example"));
    assertThat(bridge.fileChanges("server", "loaded")).isEqualTo(1);
  }

  @Test
  void secretOfKubernetes_isFollowed() throws Exception {
    Path mount = Files.createDirectories(folder.resolve("mount"));
    fill(mount, "..2026_1", root.issue(Request.server("one.example")));
    Files.createSymbolicLink(mount.resolve("..data"), Path.of("..2026_1"));
    Files.createSymbolicLink(mount.resolve("tls.crt"), Path.of("..data/tls.crt"));
    Files.createSymbolicLink(mount.resolve("tls.key"), Path.of("..data/tls.key"));
    live = mount;
    bridge.reload("name: server, " + tls(""));
    assertThat(presented()).isEqualTo("CN=one.example");
    fill(mount, "..2026_2", root.issue(Request.server("two.example")));
    Files.createSymbolicLink(mount.resolve("..data_tmp"), Path.of("..2026_2"));
    Files.move(
        mount.resolve("..data_tmp"), mount.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
    awaitChange().until(() -> presented().equals("CN=two.example"));
  }

  private static void fill(Path mount, String name, Issued pair) throws IOException {
    Path data = Files.createDirectories(mount.resolve(name));
    replace(pair.certificate(), data.resolve("tls.crt"));
    replace(pair.key(), data.resolve("tls.key"));
  }

  // --- trust ---

  @Test
  void revokedClient_loses_itsConnection_andCannotResume() throws Exception {
    Issued revoked = root.issue(Request.client("revoked"));
    Issued kept = root.issue(Request.client("kept"));
    try (TlsClient first = client().identity(revoked).connect(bridge.port("mutual"));
        TlsClient second = client().identity(kept).connect(bridge.port("mutual"));
        TlsClient lenient = client().identity(revoked).connect(bridge.port("lenient"))) {
      first.echo("hello");
      second.echo("hello");
      lenient.echo("hello");
      Path session = folder.resolve("session.pem");
      String old = reconnect(revoked, "-sess_out", session);
      assertThat(old).contains("New, ");
      root.revoke(revoked);
      replace(root.revocationList(), live.resolve("crl.pem"));
      assertThat(bridge.endOf(first).reason()).isEqualTo(CloseReason.TLS_IDENTITY_REVOKED);
      second.echo("still here");
      lenient.echo("still here");
      long before = bridge.refused("mutual", "tls_certificate_revoked");
      reconnect(revoked, "-sess_in", session);
      bridge.awaitRefused("mutual", "tls_certificate_revoked", before + 1);
      assertThat(
              bridge.metric(
                  "waymark_connections_closed_total",
                  "listener=\"mutual\"",
                  "reason=\"tls_identity_revoked\""))
          .isEqualTo(1);
    }
  }

  private String reconnect(Issued identity, String option, Path session) {
    try {
      return Authority.openssl(
          "s_client -tls1_2 -connect 127.0.0.1:" + bridge.port("mutual"),
          "-cert",
          identity.certificate().toString(),
          "-key",
          identity.key().toString(),
          option,
          session.toString());
    } catch (IllegalStateException refused) {
      return "";
    }
  }

  @Test
  void clientOfACaThatIsNoLongerTrusted_losesItsConnection() throws Exception {
    Authority other = Authority.root(folder.resolve("other"), "other");
    Issued identity = root.issue(Request.client("device"));
    try (TlsClient client = client().identity(identity).connect(bridge.port("mutual"))) {
      client.echo("hello");
      replace(other.certificate(), live.resolve("ca.pem"));
      replace(other.revocationList(), live.resolve("crl.pem"));
      assertThat(bridge.endOf(client).reason()).isEqualTo(CloseReason.TLS_IDENTITY_REVOKED);
    }
  }

  @Test
  void client_whoseCertificateExpires_losesItsConnection() throws Exception {
    Instant now = Instant.now();
    Issued identity =
        root.issue(Request.client("device").valid(now.minusSeconds(60), now.plusSeconds(5)));
    try (TlsClient client = client().identity(identity).connect(bridge.port("mutual"));
        TlsClient lenient = client().identity(identity).connect(bridge.port("lenient"))) {
      client.echo("hello");
      lenient.echo("hello");
      assertThat(bridge.endOf(client).reason()).isEqualTo(CloseReason.TLS_IDENTITY_EXPIRED);
      assertThat(Instant.now()).isAfter(now.plusSeconds(4));
      lenient.echo("still here");
    }
  }

  @Test
  void connections_areStillFollowed_afterTheConfigurationHasChanged() throws Exception {
    assertFollowedAfter("name: mutual, " + mutual("on").replace("}]", "}], handshake-timeout: 9s"));
  }

  @Test
  void connections_areStillFollowed_afterTheirListenerIsGone() throws Exception {
    assertFollowedAfter("name: other, " + mutual("on"));
  }

  private void assertFollowedAfter(String listener) throws Exception {
    Issued identity = root.issue(Request.client("device"));
    try (TlsClient client = client().identity(identity).connect(bridge.port("mutual"))) {
      client.echo("hello");
      bridge.reload(listener);
      client.echo("hello");
      root.revoke(identity);
      replace(root.revocationList(), live.resolve("crl.pem"));
      assertThat(bridge.endOf(client).reason()).isEqualTo(CloseReason.TLS_IDENTITY_REVOKED);
    }
  }

  @Test
  void tls_isTurnedOffAndOn_byAReload() throws Exception {
    int port = bridge.port("server");
    String address = "address: '127.0.0.1:" + port + "'";
    try (TlsClient old = client().connect(port)) {
      old.echo("hello");
      bridge.reload("name: server, " + address);
      old.echo("still here");
      try (var plain = TlsClient.plain(port)) {
        plain.getOutputStream().write(1);
        assertThat(plain.getInputStream().read()).isEqualTo(1);
        bridge.reload("name: again, " + address + ", " + tls(""));
        try (TlsClient client = client().connect(port)) {
          client.echo("hello");
        }
        old.echo("still here");
        plain.getOutputStream().write(2);
        assertThat(plain.getInputStream().read()).isEqualTo(2);
      }
    }
  }
}
