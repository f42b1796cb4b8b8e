package dev.waymark.e2e;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.waymark.testing.Authority;
import dev.waymark.testing.Authority.Issued;
import dev.waymark.testing.Authority.Request;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * TLS on both sides of an egress: with its server, which each test plays, and with the bridge,
 * which verifies it.
 */
final class EgressTlsIT {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final String TLS_1_3 = "TLSv1.3";

  @TempDir private static Path folder;
  private static Authority authority;
  private static SSLContext context;
  private static ServerSocket server;
  private static Waymark egress;

  /** A server that proves to be somebody else, and the egress for it. */
  private static ServerSocket impostor;

  private static Waymark wary;

  /** A server that never says close_notify, and the egress for it. */
  private static ServerSocket careless;

  private static Waymark lax;
  private static Bridge bridge;

  @BeforeAll
  static void start() throws Exception {
    Authority.assumeOpenssl();
    authority = Authority.root(folder.resolve("ca"), "root");
    install(authority.issue(Request.client("egress-1")));
    context = context(authority.issue(Request.server("server.example")));
    server = listen();
    impostor = listen();
    careless = listen();
    Issued own = authority.issue(Request.server("egress.example"));
    egress = egress(server, own, "--probe-interval=0");
    wary = egress(impostor, own, "--probe-interval=0");
    lax = egress(careless, own, "--probe-interval=0", "--to-missing-close-notify=end");
    StringBuilder yaml = new StringBuilder("listeners:\n");
    for (String pool : List.of("egress", "wary", "lax")) {
      yaml.append("- {name: %1$s, address: '127.0.0.1:0', pool: %1$s}\n".formatted(pool));
    }
    yaml.append("pools:\n")
        .append(pool("egress", egress))
        .append(pool("wary", wary))
        .append(pool("lax", lax));
    bridge = Bridge.configured(Files.writeString(folder.resolve("waymark.yml"), yaml));
    await().atMost(TIMEOUT).until(() -> bridge.admin().status("/readyz") == 200);
  }

  private static ServerSocket listen() throws IOException {
    ServerSocket listening = new ServerSocket();
    listening.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    listening.setSoTimeout((int) TIMEOUT.toMillis());
    return listening;
  }

  private static Waymark egress(ServerSocket to, Issued own, String... more) {
    return Waymark.command(
            Stream.of(Stream.of("egress"), flags(to, own), Stream.of(more))
                .flatMap(each -> each)
                .toArray(String[]::new))
        .quick()
        .start();
  }

  private static Stream<String> flags(ServerSocket to, Issued own) {
    return Stream.of(
        "--listen=127.0.0.1:0",
        "--admin=127.0.0.1:0",
        "--to=127.0.0.1:" + to.getLocalPort(),
        "--to-tls",
        "--proxy-protocol",
        "--to-ca=" + authority.certificate(),
        "--to-certificate=" + folder.resolve("live.pem"),
        "--to-key=" + folder.resolve("live.key"),
        "--to-server-name=server.example",
        "--tls-certificate=" + own.certificate(),
        "--tls-key=" + own.key());
  }

  private static String pool(String name, Waymark upstream) {
    return "- {name: %s, target: 'static:///%s', tls: {mode: required, ca: '%s', server-name: egress.example}}\n"
        .formatted(name, addressOf(upstream), authority.certificate());
  }

  private static String addressOf(Waymark started) {
    return started.awaitLine("egress serves Attach on (\\S+), ").group(1);
  }

  private static SSLContext context(Issued issued) throws IOException {
    return ((JdkSslContext)
            SslContextBuilder.forServer(issued.certificate().toFile(), issued.key().toFile())
                .sslProvider(SslProvider.JDK)
                .trustManager(authority.certificate().toFile())
                .build())
        .context();
  }

  /** Puts the egress's certificate in force, key first, each in one step. */
  private static void install(Issued issued) throws IOException {
    Files.move(issued.key(), folder.resolve("live.key"), StandardCopyOption.REPLACE_EXISTING);
    Files.move(
        issued.certificate(), folder.resolve("live.pem"), StandardCopyOption.REPLACE_EXISTING);
  }

  @AfterAll
  static void stop() throws Exception {
    for (AutoCloseable one : Arrays.asList(bridge, egress, wary, lax, server, impostor, careless)) {
      if (one != null) {
        one.close();
      }
    }
  }

  /** A connection that the server has accepted: its TLS, and the socket below. */
  private record Accepted(SSLSocket tls, Socket plain, String proxyHeader)
      implements AutoCloseable {
    @Override
    public void close() throws IOException {
      plain.close();
    }
  }

  /** Accepts a connection, reads the header before the handshake, and shakes hands. */
  private static Accepted accept(String version) throws IOException {
    return accept(server, context, version);
  }

  private static Accepted accept(ServerSocket listening, SSLContext with, String version)
      throws IOException {
    Socket plain = listening.accept();
    plain.setSoTimeout((int) TIMEOUT.toMillis());
    InputStream in = plain.getInputStream();
    byte[] start = in.readNBytes(16);
    assertThat(Arrays.copyOf(start, 12)).isEqualTo("\r\n\r\n\0\r\nQUIT\n".getBytes(US_ASCII));
    byte[] rest = in.readNBytes(((start[14] & 0xff) << 8) | (start[15] & 0xff));
    SSLSocket tls =
        (SSLSocket)
            with.getSocketFactory()
                .createSocket(plain, new ByteArrayInputStream(new byte[0]), true);
    tls.setUseClientMode(false);
    tls.setNeedClientAuth(true);
    tls.setEnabledProtocols(new String[] {version});
    tls.startHandshake();
    return new Accepted(tls, plain, new String(rest, US_ASCII));
  }

  private static Socket connect() throws IOException {
    return connect(bridge.port());
  }

  private static Socket connect(int port) throws IOException {
    Socket client = new Socket(InetAddress.getLoopbackAddress(), port);
    client.setSoTimeout((int) TIMEOUT.toMillis());
    return client;
  }

  private static byte[] bytes(int count, long seed) {
    byte[] bytes = new byte[count];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private static void send(Socket socket, byte[] bytes) {
    try {
      socket.getOutputStream().write(bytes);
      socket.shutdownOutput();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static void assertReceives(Socket socket, byte[] expected) throws IOException {
    byte[] received = socket.getInputStream().readAllBytes();
    assertThat(Arrays.mismatch(received, expected)).as("first difference").isEqualTo(-1);
  }

  private static String reasonOf(Socket client) {
    String address = " client=127.0.0.1:" + client.getLocalPort() + " ";
    return bridge
        .process()
        .awaitLineWith(" connection-closed ", address)
        .replaceFirst(".* reason=(\\S+).*", "$1");
  }

  // --- streams ---

  @Test
  void halfClose_ofTheClient_isACloseNotify_andTheServerGoesOnSending() throws IOException {
    try (Socket client = connect();
        Accepted accepted = accept(TLS_1_3)) {
      byte[] sent = bytes(300_000, 1);
      try (var sending = Clients.inBackground(() -> send(client, sent))) {
        assertReceives(accepted.tls(), sent);
        sending.join();
      }
      byte[] answer = bytes(1_000_000, 2);
      try (var sending = Clients.inBackground(() -> send(accepted.tls(), answer))) {
        assertReceives(client, answer);
        sending.join();
      }
      assertThat(reasonOf(client)).isEqualTo("done");
    }
  }

  @Test
  void closeNotify_ofTheServer_isAFin_andTheClientGoesOnSending() throws IOException {
    try (Socket client = connect();
        Accepted accepted = accept(TLS_1_3)) {
      send(accepted.tls(), "bye".getBytes(US_ASCII));
      assertReceives(client, "bye".getBytes(US_ASCII));
      byte[] sent = bytes(400_000, 3);
      try (var sending = Clients.inBackground(() -> send(client, sent))) {
        assertReceives(accepted.tls(), sent);
        sending.join();
      }
      assertThat(reasonOf(client)).isEqualTo("done");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", TLS_1_3})
  void closeNotify_ofTheServer_andThenOfTheClient_endTheConnectionCleanly(String version)
      throws IOException {
    try (Socket client = connect();
        Accepted accepted = accept(version)) {
      client.getOutputStream().write("hello".getBytes(US_ASCII));
      assertThat(accepted.tls().getInputStream().readNBytes(5)).hasSize(5);
      send(accepted.tls(), "bye".getBytes(US_ASCII));
      assertReceives(client, "bye".getBytes(US_ASCII));
      client.shutdownOutput();
      assertThat(reasonOf(client)).isEqualTo("done");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", TLS_1_3})
  void serverThatClosesItsSocketBehindItsCloseNotify_endsTheConnectionCleanly(String version)
      throws IOException {
    try (Socket client = connect();
        Accepted accepted = accept(version)) {
      client.getOutputStream().write("hello".getBytes(US_ASCII));
      assertThat(accepted.tls().getInputStream().readNBytes(5)).hasSize(5);
      accepted.tls().getOutputStream().write("bye".getBytes(US_ASCII));
      accepted.tls().close();
      assertReceives(client, "bye".getBytes(US_ASCII));
      client.shutdownOutput();
      assertThat(reasonOf(client)).isEqualTo("done");
    }
  }

  @Test
  void fin_ofTheServer_withoutCloseNotify_isALoss() throws IOException {
    try (Socket client = connect();
        Accepted accepted = accept(TLS_1_3)) {
      accepted.tls().getOutputStream().write("half".getBytes(US_ASCII));
      assertThat(client.getInputStream().readNBytes(4)).hasSize(4);
      accepted.plain().shutdownOutput();
      assertThatThrownBy(() -> client.getInputStream().read()).hasMessageContaining("reset");
      assertThat(reasonOf(client)).isEqualTo("abort");
    }
  }

  @Test
  void fin_ofTheServer_withoutCloseNotify_isAnEnd_ifTheOperatorSaysSo() throws IOException {
    try (Socket client = connect(bridge.port(2));
        Accepted accepted = accept(careless, context, TLS_1_3)) {
      byte[] sent = bytes(300_000, 5);
      try (var sending =
          Clients.inBackground(() -> {
            try {
              accepted.tls().getOutputStream().write(sent);
              accepted.plain().shutdownOutput();
            } catch (IOException e) {
              throw new AssertionError(e);
            }
          })) {
        assertReceives(client, sent);
        sending.join();
      }
      client.shutdownOutput();
      assertThat(reasonOf(client)).isEqualTo("done");
    }
  }

  @Test
  void reset_ofTheClient_isNoCloseNotify() throws IOException {
    Socket client = connect();
    try (Accepted accepted = accept(TLS_1_3)) {
      client.getOutputStream().write(1);
      assertThat(accepted.tls().getInputStream().read()).isEqualTo(1);
      client.setSoLinger(true, 0);
      client.close();
      assertThatThrownBy(() -> accepted.tls().getInputStream().read())
          .isInstanceOf(IOException.class);
    }
  }

  @Test
  void serverThatReadsLate_getsEveryByte() throws IOException {
    byte[] sent = bytes(20_000_000, 4);
    try (Socket client = connect();
        Accepted accepted = accept(TLS_1_3);
        var sending = Clients.inBackground(() -> send(client, sent))) {
      String mark = bridge.admin().markOf("127.0.0.1:" + client.getLocalPort());
      assertThat(accepted.proxyHeader()).contains(mark);
      await().during(Duration.ofMillis(300)).atMost(TIMEOUT).until(() -> !sending.isDone());
      assertReceives(accepted.tls(), sent);
      sending.join();
    }
  }

  // --- who is who ---

  @Test
  void serverOfAnotherName_getsNoByte_andTheClientIsTurnedAway() throws Exception {
    SSLContext evil = context(authority.issue(Request.server("evil.example")));
    List<Integer> received = new ArrayList<>();
    try (Socket client = connect(bridge.port(1))) {
      client.getOutputStream().write("secret".getBytes(US_ASCII));
      assertThatThrownBy(
              () -> {
                try (Accepted accepted = accept(impostor, evil, "TLSv1.2")) {
                  received.add(accepted.tls().getInputStream().readAllBytes().length);
                }
              })
          .isInstanceOf(IOException.class);
      wary.awaitLineWith(" server-unreached ", "somebody else");
    }
    assertThat(received).isEmpty();
  }

  @Test
  void newCertificate_isPresentedByNewConnections() throws IOException {
    try (Socket _ = connect();
        Accepted before = accept(TLS_1_3)) {
      assertThat(nameOf(before)).isEqualTo("CN=egress-1");
    }
    install(authority.issue(Request.client("egress-2")));
    egress.awaitLineWith(" tls-files-loaded ", "egress-2");
    try (Socket _ = connect();
        Accepted after = accept(TLS_1_3)) {
      assertThat(nameOf(after)).isEqualTo("CN=egress-2");
    }
  }

  private static String nameOf(Accepted accepted) throws IOException {
    X509Certificate peer = (X509Certificate) accepted.tls().getSession().getPeerCertificates()[0];
    return peer.getSubjectX500Principal().getName();
  }

  @Test
  void flagsThatDoNotFit_areRefused() {
    try (Waymark bad =
        Waymark.command("egress", "--to=127.0.0.1:1", "--to-ca=/nowhere.pem").quick().start()) {
      assertThat(bad.exitCode()).isEqualTo(2);
      assertThat(bad.stderr()).contains("--to-ca").contains("need --to-tls");
    }
    try (Waymark bad =
        Waymark.command("egress", "--to=127.0.0.1:1", "--to-tls", "--to-ca=/nowhere.pem")
            .quick()
            .start()) {
      assertThat(bad.exitCode()).isEqualTo(2);
      assertThat(bad.stderr()).contains("--to-ca").contains("/nowhere.pem");
    }
  }
}
