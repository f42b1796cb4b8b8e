package dev.waymark.bridge;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.waymark.config.ConfigLoader;
import dev.waymark.config.LoadedConfig;
import dev.waymark.e2e.Waymark;
import dev.waymark.telemetry.EventLog;
import dev.waymark.testing.Authority;
import dev.waymark.testing.Authority.Issued;
import dev.waymark.testing.Authority.Request;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** TLS and client certificates on the admin port. */
final class AdminTlsIT {
  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  @TempDir private Path folder;

  @SuppressWarnings("NullAway.Init")
  private Authority authority;

  @SuppressWarnings("NullAway.Init")
  private Bridge bridge;

  @BeforeEach
  void start() throws Exception {
    Authority.assumeOpenssl();
    authority = Authority.root(folder.resolve("ca"), "root");
    install(authority.issue(Request.server("admin.example", "localhost")));
    Files.copy(authority.revocationList(), folder.resolve("crl.pem"));
    Path file = folder.resolve("waymark.yml");
    Files.writeString(
        file,
        """
        admin:
          address: 127.0.0.1:0
          tls:
            certificate: %1$s/live.pem
            key: %1$s/live.key
            client-ca: %2$s
            client-crl: %1$s/crl.pem
            read-names: spiffe://example.org/monitoring/*
            operate-names: ops.example
        listeners: [{name: in, address: '127.0.0.1:0'}]
        pools: [{name: echo, target: 'static:///127.0.0.1:1'}]
        start-timeout: 100ms
        """
            .formatted(folder, authority.certificate()));
    LoadedConfig config = ConfigLoader.load(Optional.of(file), Map.of(), Map.of());
    bridge = new Bridge(config, Optional.empty(), new EventLog(Clock::nowNs), () -> 0);
    bridge.startAdmin();
    bridge.start(new CountDownLatch(1));
  }

  @AfterEach
  void stop() throws InterruptedException {
    if (bridge != null) {
      bridge.stop();
    }
  }

  private void install(Issued issued) throws IOException {
    Files.move(issued.key(), folder.resolve("live.key"), StandardCopyOption.REPLACE_EXISTING);
    Files.move(
        issued.certificate(), folder.resolve("live.pem"), StandardCopyOption.REPLACE_EXISTING);
  }

  private Issued clientNamed(String name) throws IOException {
    return authority.issue(Request.client("whoever").names(name));
  }

  private HttpClient client(@Nullable Issued identity, String... protocols) throws IOException {
    SslContextBuilder builder =
        SslContextBuilder.forClient()
            .sslProvider(SslProvider.JDK)
            .trustManager(authority.certificate().toFile());
    if (identity != null) {
      builder.keyManager(identity.certificate().toFile(), identity.key().toFile());
    }
    SSLContext context = ((JdkSslContext) builder.build()).context();
    HttpClient.Builder client = HttpClient.newBuilder().sslContext(context).connectTimeout(TIMEOUT);
    if (protocols.length > 0) {
      client.sslParameters(new SSLParameters(null, protocols));
    }
    return client.build();
  }

  private int port() {
    String address = bridge.adminAddress();
    return Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
  }

  private HttpResponse<String> send(HttpClient client, String method, String path)
      throws IOException, InterruptedException {
    return client.send(
        HttpRequest.newBuilder(URI.create("https://localhost:" + port() + path))
            .method(method, HttpRequest.BodyPublishers.noBody())
            .timeout(TIMEOUT)
            .build(),
        BodyHandlers.ofString());
  }

  private int status(@Nullable Issued identity, String method, String path) throws Exception {
    try (HttpClient client = client(identity)) {
      return send(client, method, path).statusCode();
    }
  }

  @Test
  void withoutCertificate_onlyOpenRoutesAnswer() throws Exception {
    for (String version : new String[] {"TLSv1.2", "TLSv1.3"}) {
      try (HttpClient anybody = client(null, version)) {
        assertThat(send(anybody, "GET", "/healthz").body()).isEqualTo("ok\n");
        assertThat(send(anybody, "GET", "/metrics").body()).contains("waymark_connections_open");
        HttpResponse<String> denied = send(anybody, "GET", "/connections");
        assertThat(denied.statusCode()).isEqualTo(401);
        assertThat(denied.body()).contains("client certificate");
      }
    }
  }

  @Test
  void certificate_mayDoWhatItsNamesMay() throws Exception {
    Issued reader = clientNamed("URI:spiffe://example.org/monitoring/m1");
    assertThat(status(reader, "GET", "/connections")).isEqualTo(200);
    assertThat(status(reader, "POST", "/drain")).isEqualTo(403);
    Issued operator = clientNamed("DNS:ops.example");
    assertThat(status(operator, "POST", "/drain")).isEqualTo(200);
    assertThat(status(operator, "POST", "/undrain")).isEqualTo(200);
    assertThat(status(clientNamed("DNS:other.example"), "GET", "/connections")).isEqualTo(403);
  }

  @Test
  void certificateOfAnotherAuthority_isRefusedInTheHandshake() throws Exception {
    // Of the same name, or the client would not present what it issues.
    Authority stranger = Authority.root(folder.resolve("stranger"), "root");
    Issued forged = stranger.issue(Request.client("x").names("DNS:ops.example"));
    assertThatThrownBy(() -> status(forged, "GET", "/connections")).isInstanceOf(IOException.class);
    assertThat(status(null, "GET", "/healthz")).isEqualTo(200);
  }

  @Test
  void clientThatDoesNotTrustTheCertificate_isLoggedAsSuch() throws Exception {
    try (RecordedLog log = new RecordedLog()) {
      Process client =
          new ProcessBuilder(
                  "openssl",
                  "s_client",
                  "-tls1_3",
                  "-verify_return_error",
                  "-connect",
                  "127.0.0.1:" + port())
              .redirectErrorStream(true)
              .redirectOutput(folder.resolve("untrusted.txt").toFile())
              .start();
      assertThat(client.waitFor()).isNotZero();
      log.await("admin-refused", "the client does not accept the port's certificate: unknown_ca");
    }
  }

  @Test
  void revokedCertificate_endsItsConnection() throws Exception {
    Issued reader = clientNamed("URI:spiffe://example.org/monitoring/m1");
    try (HttpClient client = client(reader)) {
      assertThat(send(client, "GET", "/upstreams").statusCode()).isEqualTo(200);
      authority.revoke(reader);
      Files.copy(authority.revocationList(), folder.resolve("crl.new"));
      Files.move(
          folder.resolve("crl.new"),
          folder.resolve("crl.pem"),
          StandardCopyOption.REPLACE_EXISTING);
      await()
          .atMost(TIMEOUT)
          .untilAsserted(() ->
              assertThatThrownBy(() -> send(client, "GET", "/upstreams"))
                  .isInstanceOf(IOException.class));
    }
  }

  @Test
  void newCertificate_servesNewConnections() throws Exception {
    install(authority.issue(Request.server("second.example", "localhost")));
    await()
        .atMost(TIMEOUT)
        .untilAsserted(() -> {
          try (HttpClient client = client(null)) {
            assertThat(send(client, "GET", "/metrics").body())
                .contains("waymark_tls_certificate_not_after_seconds{listener=\"(admin)\"")
                .contains("name=\"second.example\"");
          }
        });
  }

  @Test
  void plainHttp_isToldSo() throws Exception {
    try (Socket socket = new Socket("127.0.0.1", port())) {
      socket.setSoTimeout((int) TIMEOUT.toMillis());
      socket
          .getOutputStream()
          .write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(US_ASCII));
      socket.shutdownOutput();
      InputStream in = socket.getInputStream();
      assertThat(new String(in.readAllBytes(), US_ASCII))
          .startsWith("HTTP/1.1 308 ")
          .containsIgnoringCase("Location: https://localhost/healthz")
          .contains("use https");
    }
  }

  @Test
  void wildcardInAClientCertificate_isNobody() throws Exception {
    assertThat(status(clientNamed("DNS:*.example"), "GET", "/connections")).isEqualTo(403);
  }

  @Test
  void healthCommand_goesOnWithTls() {
    String plain = "http://127.0.0.1:" + port() + "/healthz";
    assertThat(health("--insecure", plain)).isZero();
    assertThat(health(plain)).isEqualTo(1);
    String secure = "https://localhost:" + port() + "/healthz";
    assertThat(health("--ca", authority.certificate().toString(), secure)).isZero();
    assertThat(health(secure)).isEqualTo(1);
  }

  @Test
  void healthCommand_thatDoesNotTrustTheCertificate_saysWhatToDo() {
    String secure = "https://localhost:" + port() + "/healthz";
    assertThat(healthProblem(secure))
        .isEqualTo(
            "health: "
                + secure
                + ": its certificate is not signed by a CA that this command trusts; name the CA"
                + " with --ca, or accept any certificate with --insecure\n");
    String other = "https://127.0.0.1:" + port() + "/healthz";
    assertThat(healthProblem("--ca", authority.certificate().toString(), other))
        .isEqualTo(
            "health: "
                + other
                + ": its certificate is not for 127.0.0.1; use a name of the certificate in the"
                + " URL, or accept any certificate with --insecure\n");
  }

  private static int health(String... arguments) {
    try (Waymark process = healthCommand(arguments)) {
      return process.exitCode();
    }
  }

  private static String healthProblem(String... arguments) {
    try (Waymark process = healthCommand(arguments)) {
      assertThat(process.exitCode()).isOne();
      return process.stderr();
    }
  }

  private static Waymark healthCommand(String... arguments) {
    return Waymark.command(
            Stream.concat(Stream.of("health", "--timeout=20s"), Stream.of(arguments))
                .toArray(String[]::new))
        .quick()
        .start();
  }

  /** A reply that is not kept alive ends with close_notify: no client takes it for truncated. */
  @Test
  void lastReply_endsWithCloseNotify() throws Exception {
    TlsClient.Settings settings = TlsClient.Settings.of(authority.certificate());
    for (String version : new String[] {"TLSv1.2", "TLSv1.3"}) {
      try (TlsClient client = settings.version(version).serverName("localhost").connect(port())) {
        client.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        String reply = new String(client.socket().getInputStream().readAllBytes(), US_ASCII);
        assertThat(reply).startsWith("HTTP/1.1 200 OK").contains("waymark_connections_open");
      }
    }
  }
}
