package dev.waymark.bridge;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.TlsFacts;
import dev.waymark.testing.Authority;
import dev.waymark.testing.Authority.Issued;
import dev.waymark.testing.Authority.KeyType;
import dev.waymark.testing.Authority.Request;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** TLS on listeners through sockets, with each engine; the cases share one bridge. */
@ParameterizedClass
@ValueSource(strings = {"boringssl", "jdk"})
@SuppressWarnings("NullAway.Init")
final class TlsListenerIT {
  private static final int TIMEOUT_MS = 20_000;
  private static final int BIG_BYTES = 20 << 20;

  @TempDir private static Path folder;

  private static Authority root;

  private static TlsBridge bridge;

  @SuppressWarnings("NullAway.Init")
  private static Issued good;

  @SuppressWarnings("NullAway.Init")
  private static Issued through;

  @SuppressWarnings("NullAway.Init")
  private static Issued revoked;

  @SuppressWarnings("NullAway.Init")
  private static Issued expired;

  @SuppressWarnings("NullAway.Init")
  private static Issued early;

  @SuppressWarnings("NullAway.Init")
  private static Issued stranger;

  @SuppressWarnings("NullAway.Init")
  private static Issued revokedThrough;

  @Parameter private String engine;

  @BeforeParameterizedClassInvocation
  static void start(String engine) throws Exception {
    Authority.assumeOpenssl();
    Path home = Files.createDirectories(folder.resolve(engine));
    root = Authority.root(home.resolve("root"), "root");
    Authority devices = root.intermediate(home.resolve("devices"), "devices");
    Issued byDefault = root.issue(Request.server("a.example"));
    Issued exact = root.issue(Request.server("exact.w.example").keyType(KeyType.RSA));
    Issued wildcard = devices.issue(Request.server("*.w.example"));
    issueClients(home, devices);
    Path lists = home.resolve("lists.pem");
    Files.writeString(
        lists,
        Files.readString(root.revocationList()) + Files.readString(devices.revocationList()));
    Path keys = home.resolve("ticket-keys");
    Files.writeString(keys, Authority.openssl("rand -base64 48"));
    Files.setPosixFilePermissions(keys, PosixFilePermissions.fromString("rw-r-----"));
    String start = "certificates: [" + pair(byDefault) + "], engine: " + engine;
    String trust = ", client-ca: " + root.certificate() + ", client-crl: " + lists;
    String ticketKeys = engine.equals("jdk") ? "" : ", ticket-keys: " + keys;
    bridge =
        TlsBridge.start(
            home,
            "name: names, tls: {engine: %s, certificates: [%s, %s, %s]}"
                .formatted(engine, pair(byDefault), pair(exact), pair(wildcard)),
            "name: required, tls: {%s, client-auth: required%s%s}"
                .formatted(start, trust, ticketKeys),
            "name: optional, tls: {%s, client-auth: optional%s}".formatted(start, trust),
            "name: alpn, tls: {%s, alpn: 'two, one'}".formatted(start),
            "name: new, tls: {%s, version-min: 1.3}".formatted(start),
            "name: lax, tls: {%s, missing-close-notify: end}".formatted(start),
            "name: hasty, tls: {%s, handshake-timeout: 300ms}".formatted(start),
            "name: narrow, tls: {%s, handshakes-max: 1}".formatted(start),
            "name: lines, framing: line, tls: {%s}".formatted(start),
            "name: proxied, proxy-protocol: {mode: required, trusted: 127.0.0.1}, tls: {%s}"
                .formatted(start),
            "name: tickets-1, tls: {%s%s}".formatted(start, ticketKeys),
            "name: tickets-2, tls: {%s%s}".formatted(start, ticketKeys),
            "name: plain");
  }

  private static void issueClients(Path home, Authority devices) throws IOException {
    Instant now = Instant.now();
    Request client = Request.client("device-7");
    good =
        root.issue(
            client.names("DNS:device-7.example,URI:spiffe://example/device/7,email:d@example"));
    through = devices.issue(client);
    revoked = root.issue(client);
    root.revoke(revoked);
    revokedThrough = devices.issue(client);
    devices.revoke(revokedThrough);
    expired =
        root.issue(client.valid(now.minus(9, ChronoUnit.HOURS), now.minus(1, ChronoUnit.HOURS)));
    early = root.issue(client.valid(now.plus(1, ChronoUnit.HOURS), now.plus(9, ChronoUnit.HOURS)));
    stranger = Authority.root(home.resolve("other"), "root").issue(client);
  }

  private static String pair(Issued issued) {
    return "{certificate: %s, key: %s}".formatted(issued.certificate(), issued.key());
  }

  @AfterParameterizedClassInvocation
  static void stop() throws Exception {
    if (bridge != null) {
      assertThat(bridge.metric("waymark_lanes_broken_total")).isZero();
      bridge.stop();
    }
  }

  private TlsClient.Settings client() {
    return TlsClient.Settings.of(root.certificate());
  }

  private TlsClient connect(String listener) throws IOException {
    return client().connect(bridge.port(listener));
  }

  // --- facts ---

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
  void client_isEchoed_andItsTlsIsTold(String version) throws Exception {
    try (TlsClient client = client().version(version).connect(bridge.port("names"))) {
      client.echo("hello");
      TlsFacts facts = Objects.requireNonNull(bridge.openOf(client).tls());
      assertThat(facts.version()).isEqualTo(version);
      assertThat(facts.cipher()).isEqualTo(client.socket().getSession().getCipherSuite());
      assertThat(facts.serverName()).isEqualTo("a.example");
      assertThat(facts.applicationProtocol()).isEmpty();
      assertThat(facts.client()).isNull();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
  void client_withACertificate_isToldWithIt(String version) throws Exception {
    try (TlsClient client =
        client().identity(good).version(version).connect(bridge.port("required"))) {
      client.echo("hello");
      X509Certificate own = TlsClient.certificates(good.certificate())[0];
      TlsFacts.ClientCertificate told =
          Objects.requireNonNull(Objects.requireNonNull(bridge.openOf(client).tls()).client());
      assertThat(told.subject()).isEqualTo("CN=device-7");
      assertThat(told.alternativeNames())
          .containsExactlyInAnyOrder(
              "DNS:device-7.example", "URI:spiffe://example/device/7", "email:d@example");
      assertThat(told.areNamesCut()).isFalse();
      assertThat(told.serial()).isEqualTo(own.getSerialNumber().toString(16));
      assertThat(told.sha256())
          .isEqualTo(MessageDigest.getInstance("SHA-256").digest(own.getEncoded()));
      assertThat(told.notBefore()).isEqualTo(own.getNotBefore().toInstant());
      assertThat(told.notAfter()).isEqualTo(own.getNotAfter().toInstant());
    }
  }

  @Test
  void clientWithout_serverName_isServed() throws Exception {
    try (TlsClient client = client().serverName(null).connect(bridge.port("names"))) {
      client.echo("hello");
      assertThat(Objects.requireNonNull(bridge.openOf(client).tls()).serverName()).isEmpty();
    }
  }

  @Test
  void readyLine_saysHowToTryIt() {
    assertThat(bridge.readyLine())
        .endsWith("try it: openssl s_client -quiet -connect 127.0.0.1:" + bridge.port("names"));
  }

  // --- names ---

  private String presentedFor(String name) throws IOException {
    try (TlsClient client = client().serverName(name).connect(bridge.port("names"))) {
      return client.server().getSubjectX500Principal().getName();
    }
  }

  @Test
  void certificate_isThatOfTheName() throws Exception {
    assertThat(presentedFor("exact.w.example")).isEqualTo("CN=exact.w.example");
    assertThat(presentedFor("EXACT.w.Example")).isEqualTo("CN=exact.w.example");
    assertThat(presentedFor("x.w.example")).isEqualTo("CN=*.w.example");
    assertThat(presentedFor("x.y.w.example")).isEqualTo("CN=a.example");
    assertThat(presentedFor("w.example")).isEqualTo("CN=a.example");
    assertThat(presentedFor("other.example")).isEqualTo("CN=a.example");
  }

  // --- clients' certificates ---

  /** With TLS 1.3 a client learns only afterwards that it is refused. */
  private void assertRefused(String listener, TlsClient.Settings settings, String reason)
      throws IOException {
    for (String version : List.of("TLSv1.2", "TLSv1.3")) {
      long before = bridge.refused(listener, reason);
      try (TlsClient client = settings.version(version).connect(bridge.port(listener))) {
        client.awaitEnd();
      } catch (IOException refused) {
        assertThat(version).isNotNull();
      }
      bridge.awaitRefused(listener, reason, before + 1);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"required", "optional"})
  void client_whoseCertificateIsValid_isServed(String listener) throws Exception {
    for (Issued issued : List.of(good, through)) {
      try (TlsClient client = client().identity(issued).connect(bridge.port(listener))) {
        client.echo("hello");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"required", "optional"})
  void client_whoseCertificateIsNotValid_isRefusedWithTheReason(String listener) throws Exception {
    assertRefused(listener, client().identity(expired), "tls_certificate_expired");
    assertRefused(listener, client().identity(early), "tls_certificate_invalid");
    assertRefused(listener, client().identity(stranger), "tls_certificate_invalid");
    assertRefused(listener, client().identity(revoked), "tls_certificate_revoked");
    assertRefused(listener, client().identity(revokedThrough), "tls_certificate_revoked");
  }

  @Test
  void client_withoutACertificate_isRefusedOnlyWhereItIsRequired() throws Exception {
    assertRefused("required", client(), "tls_certificate_missing");
    try (TlsClient client = connect("optional")) {
      client.echo("hello");
    }
  }

  // --- versions and protocols ---

  @Test
  void version_thatIsTooOld_isRefused() throws Exception {
    assertThatThrownBy(() -> client().version("TLSv1.2").connect(bridge.port("new")))
        .isInstanceOf(SSLException.class);
    bridge.awaitRefused("new", "tls_handshake_failed", 1);
    try (TlsClient client = connect("new")) {
      client.echo("hello");
    }
  }

  @Test
  void protocol_isTheFirstOfTheListener() throws Exception {
    try (TlsClient client = client().protocols("one", "two").connect(bridge.port("alpn"))) {
      client.echo("hello");
      assertThat(client.socket().getApplicationProtocol()).isEqualTo("two");
      assertThat(Objects.requireNonNull(bridge.openOf(client).tls()).applicationProtocol())
          .isEqualTo("two");
    }
    try (TlsClient client = connect("alpn")) {
      client.echo("hello");
    }
  }

  @Test
  void protocol_thatIsUnknown_isRefusedWithAnAlert() {
    long before = bridge.refused("alpn", "tls_protocol_unknown");
    assertThatThrownBy(() -> client().protocols("three").connect(bridge.port("alpn")))
        .isInstanceOf(SSLException.class)
        .hasMessageContaining("no_application_protocol");
    bridge.awaitRefused("alpn", "tls_protocol_unknown", before + 1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"-tls1_2", "-tls1_3"})
  void certificate_thatOpensslDoesNotTrust_isRefusedByTheClient(String version) throws Exception {
    long before = bridge.refused("names", "tls_certificate_refused");
    Process client =
        new ProcessBuilder(
                "openssl",
                "s_client",
                version,
                "-verify_return_error",
                "-connect",
                "127.0.0.1:" + bridge.port("names"))
            .redirectErrorStream(true)
            .redirectOutput(Files.createTempFile(folder, "untrusted", ".txt").toFile())
            .start();
    assertThat(client.waitFor(TIMEOUT_MS, TimeUnit.MILLISECONDS)).isTrue();
    bridge.awaitRefused("names", "tls_certificate_refused", before + 1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
  void certificate_thatTheJdkDoesNotTrust_isRefusedByTheClient(String version) throws Exception {
    long before = bridge.refused("names", "tls_certificate_refused");
    TlsClient.Settings distrustful = TlsClient.Settings.of(stranger.certificate());
    assertThatThrownBy(() -> distrustful.version(version).connect(bridge.port("names")))
        .isInstanceOf(SSLException.class);
    bridge.awaitRefused("names", "tls_certificate_refused", before + 1);
  }

  @Test
  void renegotiation_isRefused() throws Exception {
    Path output = Files.createTempFile(folder, "renegotiation", ".txt");
    Process client =
        new ProcessBuilder(
                "openssl",
                "s_client",
                "-tls1_2",
                "-legacy_renegotiation",
                "-connect",
                "127.0.0.1:" + bridge.port("names"))
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    client.getOutputStream().write("R\n".getBytes(US_ASCII));
    client.getOutputStream().flush();
    assertThat(client.waitFor(TIMEOUT_MS, TimeUnit.MILLISECONDS)).isTrue();
    assertThat(output).content().contains("RENEGOTIATING");
    assertThat(client.exitValue()).isNotZero();
  }

  // --- resumption ---

  private String openssl(String listener, String version, String option, Path session) {
    return Authority.openssl(
        "s_client -servername a.example "
            + version
            + " -connect 127.0.0.1:"
            + bridge.port(listener),
        "-CAfile",
        root.certificate().toString(),
        "-cert",
        good.certificate().toString(),
        "-key",
        good.key().toString(),
        option,
        session.toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"-tls1_2", "-tls1_3"})
  void session_isResumed(String version) throws Exception {
    Path session = Files.createTempFile(folder, "session", ".pem");
    // With TLS 1.3 the ticket comes after the handshake; with an upstream's reply at the latest.
    store("tickets-1", version, session);
    assertThat(openssl("tickets-1", version, "-sess_in", session)).contains("Reused, ");
    if (!engine.equals("jdk")) {
      assertThat(openssl("tickets-2", version, "-sess_in", session)).contains("Reused, ");
      assertThat(openssl("names", version, "-sess_in", session)).contains("New, ");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"-tls1_2", "-tls1_3"})
  void session_ofAListenerThatTrustsOthers_isNotResumed(String version) throws Exception {
    Path session = Files.createTempFile(folder, "session", ".pem");
    store("tickets-1", version, session);
    assertThat(openssl("required", version, "-sess_in", session)).contains("New, ");
    store("required", version, session);
    assertThat(openssl("required", version, "-sess_in", session)).contains("Reused, ");
  }

  private void store(String listener, String version, Path session) throws Exception {
    Process client =
        new ProcessBuilder(
                "openssl",
                "s_client",
                "-servername",
                "a.example",
                "-quiet",
                "-no_ign_eof",
                version,
                "-CAfile",
                root.certificate().toString(),
                "-cert",
                good.certificate().toString(),
                "-key",
                good.key().toString(),
                "-connect",
                "127.0.0.1:" + bridge.port(listener),
                "-sess_out",
                session.toString())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try (OutputStream out = client.getOutputStream()) {
      out.write("hello\n".getBytes(US_ASCII));
      out.flush();
      assertThat(new String(client.getInputStream().readNBytes(6), US_ASCII)).isEqualTo("hello\n");
      out.write("Q\n".getBytes(US_ASCII));
    }
    assertThat(client.waitFor(TIMEOUT_MS, TimeUnit.MILLISECONDS)).isTrue();
    assertThat(session).isNotEmptyFile();
  }

  // --- ends ---

  private boolean canHalfClose() {
    return engine.equals("jdk");
  }

  @Test
  void closeNotify_isTheEndOfTheStream() throws Exception {
    try (TlsClient client = connect("names")) {
      client.echo("hello");
      client.socket().shutdownOutput();
      if (canHalfClose()) {
        client.expect("end@5");
        assertThat(client.socket().getInputStream().read()).isEqualTo(-1);
        assertThat(bridge.endOf(client).reason()).isEqualTo(CloseReason.DONE);
      } else {
        assertThat(bridge.endOf(client).reason()).isEqualTo(CloseReason.CLIENT_RESET);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
  void closeNotify_withoutAReply_endsBothDirections(String version) throws Exception {
    try (TlsClient client = client().version(version).connect(bridge.port("names"))) {
      client.echo("hello").send("silent");
      client.socket().shutdownOutput();
      assertThat(client.socket().getInputStream().read()).isEqualTo(-1);
      TlsBridge.End end = bridge.endOf(client);
      assertThat(end.reason()).isEqualTo(CloseReason.DONE);
      assertThat(end.offset()).isEqualTo(11);
    }
  }

  @Test
  void closeNotify_beforeTheReply_endsTheConnectionAlone() throws Exception {
    List<TlsClient> clients = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      TlsClient client = connect("names").echo("hello");
      clients.add(client);
      client.send("more").socket().shutdownOutput();
    }
    for (TlsClient client : clients) {
      assertThat(bridge.endOf(client).reason())
          .isEqualTo(canHalfClose() ? CloseReason.DONE : CloseReason.CLIENT_RESET);
      client.close();
    }
    assertThat(bridge.metric("waymark_lanes_broken_total")).isZero();
  }

  @Test
  void fin_withoutCloseNotify_isALoss() throws Exception {
    try (TlsClient client = connect("names")) {
      client.echo("hello").fin();
      TlsBridge.End end = bridge.endOf(client);
      assertThat(end.reason()).isEqualTo(CloseReason.CLIENT_TRUNCATED);
      assertThat(end.offset()).isEqualTo(5);
    }
  }

  @Test
  void fin_withoutCloseNotify_isAnEnd_whereThatIsConfigured() throws Exception {
    try (TlsClient client = connect("lax")) {
      client.echo("hello").fin();
      client.expect("end@5");
      assertThat(bridge.endOf(client).reason()).isEqualTo(CloseReason.DONE);
    }
  }

  @Test
  void reset_isALoss() throws Exception {
    try (TlsClient client = connect("names")) {
      client.echo("hello").reset();
      assertThat(bridge.endOf(client).reason()).isEqualTo(CloseReason.CLIENT_RESET);
    }
  }

  @Test
  void upstreamThatFinishes_sendsCloseNotify_andTheClientMayGoOn() throws Exception {
    try (TlsClient client = connect("names")) {
      client.echo("hello").send("finish");
      assertThat(client.socket().getInputStream().read()).isEqualTo(-1);
      client.send("more").socket().shutdownOutput();
      TlsBridge.End end = bridge.endOf(client);
      assertThat(end.reason()).isEqualTo(CloseReason.DONE);
      assertThat(end.offset()).isEqualTo(15);
    }
  }

  @Test
  void upstreamThatAborts_resetsTheClient() throws Exception {
    try (TlsClient client = connect("names")) {
      client.echo("hello").send("abort");
      assertThatThrownBy(() -> client.plain().getInputStream().readAllBytes())
          .isInstanceOf(IOException.class);
    }
  }

  // --- before and during the handshake ---

  private static void assertClosed(Socket socket) {
    try {
      socket.getInputStream().readAllBytes();
    } catch (IOException reset) {
      assertThat(reset).hasMessageNotContaining("timed out");
    }
  }

  @Test
  void plaintext_isRefusedAtOnce() throws Exception {
    long before = bridge.refused("names", "tls_plaintext");
    try (Socket socket = TlsClient.plain(bridge.port("names"))) {
      socket.getOutputStream().write("GET / HTTP/1.1\r\n".getBytes(US_ASCII));
      assertClosed(socket);
    }
    try (Socket socket = TlsClient.plain(bridge.port("names"))) {
      socket.getOutputStream().write('x');
      assertClosed(socket);
    }
    bridge.awaitRefused("names", "tls_plaintext", before + 2);
  }

  @Test
  void tls_onAListenerWithoutIt_isJustBytes() throws Exception {
    try (Socket socket = TlsClient.plain(bridge.port("plain"))) {
      socket.getOutputStream().write(new byte[] {22, 3, 1, 0, 5, 1, 0, 0, 1, 0});
      assertThat(socket.getInputStream().readNBytes(10)).hasSize(10);
    }
  }

  @Test
  void garbage_afterTheHandshake_isALoss() throws Exception {
    try (TlsClient client = connect("names")) {
      client.echo("hello").plain().getOutputStream().write("garbage".getBytes(US_ASCII));
      assertThat(bridge.endOf(client).reason()).isEqualTo(CloseReason.TLS_ERROR);
    }
  }

  @Test
  void socket_thatIsClosedDuringTheHandshake_isCounted() throws Exception {
    long before = bridge.refused("names", "tls_handshake_incomplete");
    try (Socket socket = TlsClient.plain(bridge.port("names"))) {
      socket.getOutputStream().write(new byte[] {22, 3, 1, 1, 0, 1});
      socket.shutdownOutput();
      assertClosed(socket);
    }
    bridge.awaitRefused("names", "tls_handshake_incomplete", before + 1);
  }

  @Test
  void hello_thatIsTooLong_isRefused() throws Exception {
    long before = bridge.refused("names", "tls_hello_too_long");
    byte[] filler = new byte[60_000];
    try (Socket socket = TlsClient.plain(bridge.port("names"))) {
      // A record that claims more than a record may have.
      socket.getOutputStream().write(new byte[] {22, 3, 1, (byte) 0xff, (byte) 0xff, 1, 0, 0, 1});
      socket.getOutputStream().write(filler);
      assertClosed(socket);
    } catch (IOException reset) {
      assertThat(reset).isNotNull();
    }
    try (Socket socket = TlsClient.plain(bridge.port("names"))) {
      socket.getOutputStream().write(new byte[] {22, 3, 1, 0, 5, 1, 1, 0, 0, 0});
      assertClosed(socket);
    }
    bridge.awaitRefused("names", "tls_hello_too_long", before + 2);
  }

  @Test
  void handshake_thatComesByteByByte_isRefusedAfterTheTimeout() throws Exception {
    byte[] hello = Arrays.copyOf(new byte[] {22, 3, 1, 2, 0, 1, 0, 1, 0xf}, 500);
    try (Socket socket = TlsClient.plain(bridge.port("hasty"))) {
      socket.setSoTimeout(20);
      for (byte one : hello) {
        socket.getOutputStream().write(one);
        if (isClosed(socket)) {
          break;
        }
      }
      assertThat(isClosed(socket)).isTrue();
    } catch (SocketException closed) {
      assertThat(closed).isNotNull();
    }
    bridge.awaitRefused("hasty", "tls_handshake_timeout", 1);
  }

  private static boolean isClosed(Socket socket) throws IOException {
    try {
      return socket.getInputStream().read() < 0;
    } catch (SocketTimeoutException open) {
      return false;
    }
  }

  @Test
  void handshakes_areLimited() throws Exception {
    String label = "listener=\"narrow\"";
    try (Socket first = TlsClient.plain(bridge.port("narrow"))) {
      await()
          .atMost(TlsBridge.TIMEOUT)
          .until(() -> bridge.metric("waymark_tls_handshakes_open", label) == 1);
      try (TlsClient second = connect("narrow").echo("hello")) {
        // It was silent.
        assertClosed(first);
        second.echo("still here");
      }
      assertThat(bridge.refused("narrow", "tls_handshakes_max")).isEqualTo(1);
    }
    await()
        .atMost(TlsBridge.TIMEOUT)
        .until(() -> bridge.metric("waymark_tls_handshakes_open", label) == 0);
    try (TlsClient one = connect("narrow").echo("hello");
        TlsClient two = connect("narrow").echo("hello")) {
      assertThat(one.address()).isNotEqualTo(two.address());
    }
    await().atMost(TlsBridge.TIMEOUT).until(() -> bridge.open("narrow") == 0);
  }

  // --- bytes ---

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
  void bytes_toASlowReader_arriveUnchanged(String version) throws Exception {
    byte[] sent = new byte[BIG_BYTES];
    new Random(7).nextBytes(sent);
    try (TlsClient client = client().version(version).connect(bridge.port("names"))) {
      Thread writer =
          Thread.ofVirtual()
              .start(() -> {
                try {
                  client.socket().getOutputStream().write(sent);
                } catch (IOException lost) {
                  throw new UncheckedIOException(lost);
                }
              });
      // Nobody reads until the writer is stuck, since every buffer between the two is full.
      await()
          .atMost(TlsBridge.TIMEOUT)
          .pollInterval(Duration.ofMillis(100))
          .until(() -> writer.getState() != Thread.State.RUNNABLE);
      byte[] received = client.socket().getInputStream().readNBytes(sent.length);
      assertThat(Arrays.equals(received, sent)).isTrue();
      assertThat(writer.join(Duration.ofSeconds(20))).isTrue();
    }
  }

  @Test
  void messages_areFramed() throws Exception {
    try (TlsClient client = connect("lines")) {
      client.send("one\ntw").expect("one\n").send("o\n").expect("two\n");
    }
  }

  @Test
  void proxyHeader_comesBeforeTls() throws Exception {
    try (TlsClient client =
        client()
            .before("PROXY TCP4 192.0.2.7 192.0.2.1 40000 443\r\n")
            .connect(bridge.port("proxied"))) {
      client.echo("hello");
      client.reset();
    }
    try (Socket socket = TlsClient.plain(bridge.port("proxied"))) {
      socket
          .getOutputStream()
          .write("PROXY TCP4 192.0.2.7 192.0.2.1 40000 443\r\nhello".getBytes(US_ASCII));
      assertClosed(socket);
    }
    bridge.awaitRefused("proxied", "tls_plaintext", 1);
  }
}
