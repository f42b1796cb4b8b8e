package dev.waymark.bridge;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.waymark.api.UpstreamStatus;
import dev.waymark.config.ConfigLoader;
import dev.waymark.config.LoadedConfig;
import dev.waymark.e2e.AdminPort;
import dev.waymark.telemetry.EventLog;
import dev.waymark.testing.Authority;
import dev.waymark.testing.Authority.Issued;
import dev.waymark.testing.Authority.Request;
import dev.waymark.upstream.ConnectionHandler;
import dev.waymark.upstream.NettyGuard;
import dev.waymark.upstream.Upstream;
import dev.waymark.upstream.UpstreamConnection;
import dev.waymark.upstream.UpstreamServer;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyServerBuilder;
import io.netty.buffer.ByteBuf;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** TLS between a bridge and upstreams of all kinds: who is trusted, and how certificates change. */
final class UpstreamTlsIT {
  private static final int TIMEOUT_S = 20;

  private static final List<AutoCloseable> servers = new ArrayList<>();
  private static final AtomicInteger bytesOfImpostor = new AtomicInteger();
  @TempDir private static Path folder;

  @SuppressWarnings("NullAway.Init")
  private static Authority authority;

  @SuppressWarnings("NullAway.Init")
  private static Bridge bridge;

  @BeforeAll
  static void start() throws Exception {
    Authority.assumeOpenssl();
    authority = Authority.root(folder.resolve("ca"), "ours");
    Authority stranger = Authority.root(folder.resolve("stranger"), "somebody else's");
    Request echo =
        Request.server("echo.internal")
            .names("DNS:echo.internal,IP:127.0.0.1,URI:spiffe://example.org/echo/a");
    Instant now = Instant.now();
    Request expired = echo.valid(now.minus(2, ChronoUnit.DAYS), now.minus(1, ChronoUnit.DAYS));
    int good = serve(tls(authority.issue(echo)));
    int strange = serve(tls(stranger.issue(echo)));
    int old = serve(tls(authority.issue(expired)));
    int plain = serve(null);
    int impostor = impostor(authority.issue(Request.server("evil.example")));
    int withoutHttp2 = withoutHttp2(authority.issue(echo));
    install(authority.issue(Request.client("bridge-1")));
    Path file = folder.resolve("waymark.yml");
    List<String> pools =
        List.of(
            pool("address", good, ""),
            pool("name", good, "server-name: echo.internal"),
            pool("id", good, "peer-names: 'spiffe://example.org/echo/a'"),
            pool("below", good, "peer-names: 'other.internal, spiffe://example.org/echo/*'"),
            pool("wrong-name", good, "server-name: other.internal"),
            pool("wrong-id", good, "peer-names: 'spiffe://example.org/echo'"),
            pool("wrong-domain", good, "peer-names: 'spiffe://example.com/*'"),
            pool("strange", strange, ""),
            pool("expired", old, ""),
            pool("plain", plain, ""),
            pool("without-http2", withoutHttp2, ""),
            pool("impostor", impostor, ""),
            "  - {name: anonymous, target: 'static:///127.0.0.1:%d', tls: {mode: required, ca: '%s'}}\n"
                .formatted(good, authority.certificate()));
    StringBuilder yaml = new StringBuilder("admin: {address: '127.0.0.1:0'}\nlisteners:\n");
    for (String served : List.of("address", "name", "id", "below")) {
      yaml.append("  - {name: %1$s, address: '127.0.0.1:0', pool: %1$s}\n".formatted(served));
    }
    yaml.append("start-timeout: 2s\npools:\n");
    pools.forEach(yaml::append);
    Files.writeString(file, yaml);
    LoadedConfig config = ConfigLoader.load(Optional.of(file), Map.of(), Map.of());
    bridge = new Bridge(config, Optional.empty(), new EventLog(Clock::nowNs), () -> 0);
    bridge.startAdmin();
    bridge.start(new CountDownLatch(1));
  }

  private static String pool(String name, int port, String more) {
    return "  - {name: %s, target: 'static:///127.0.0.1:%d', tls: {mode: required, ca: '%s', certificate: '%s', key: '%s'%s}}\n"
        .formatted(
            name,
            port,
            authority.certificate(),
            folder.resolve("bridge.pem"),
            folder.resolve("bridge.key"),
            more.isEmpty() ? "" : ", " + more);
  }

  /** Puts the bridge's certificate in force, key first, each in one step. */
  private static void install(Issued issued) throws IOException {
    Files.move(issued.key(), folder.resolve("bridge.key"), StandardCopyOption.REPLACE_EXISTING);
    Files.move(
        issued.certificate(), folder.resolve("bridge.pem"), StandardCopyOption.REPLACE_EXISTING);
  }

  @AfterAll
  static void stop() throws Exception {
    if (bridge != null) {
      bridge.stop();
    }
    for (AutoCloseable server : servers) {
      server.close();
    }
  }

  // --- upstreams ---

  private static SslContext tls(Issued issued) throws IOException {
    return GrpcSslContexts.forServer(issued.certificate().toFile(), issued.key().toFile())
        .trustManager(authority.certificate().toFile())
        .clientAuth(ClientAuth.REQUIRE)
        .build();
  }

  private static int serve(@Nullable SslContext tls) throws IOException {
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    UpstreamServer server =
        UpstreamServer.start(
            Upstream.builder(UpstreamTlsIT::echo).build(),
            tls == null ? NettyGuard.guard(builder) : NettyGuard.guard(builder, tls));
    servers.add(server);
    return server.port();
  }

  private static ConnectionHandler echo(UpstreamConnection connection) {
    return new ConnectionHandler() {
      @Override
      public void onData(ByteBuf data, long endOffset) {
        connection.commit(data.retainedSlice(), endOffset);
      }

      @Override
      public void onHalfClose() {
        connection.halfClose();
      }
    };
  }

  /** A server with a certificate of the right CA, but for another name; counts what it is told. */
  private static int impostor(Issued issued) throws Exception {
    return raw(
        issued,
        socket -> {
          try (InputStream in = socket.getInputStream()) {
            bytesOfImpostor.addAndGet(in.readAllBytes().length);
          }
        });
  }

  /** A server with the right certificate that knows no ALPN. */
  private static int withoutHttp2(Issued issued) throws Exception {
    return raw(issued, socket -> socket.getInputStream().readAllBytes());
  }

  private interface Conversation {
    void with(SSLSocket socket) throws IOException;
  }

  private static int raw(Issued issued, Conversation conversation) throws Exception {
    SslContext jdk =
        SslContextBuilder.forServer(issued.certificate().toFile(), issued.key().toFile())
            .sslProvider(SslProvider.JDK)
            .build();
    var factory = ((JdkSslContext) jdk).context().getServerSocketFactory();
    SSLServerSocket server =
        (SSLServerSocket) factory.createServerSocket(0, 50, InetAddress.getLoopbackAddress());
    servers.add(server);
    Thread.ofVirtual()
        .start(() -> {
          while (!server.isClosed()) {
            try {
              SSLSocket socket = (SSLSocket) server.accept();
              Thread.ofVirtual()
                  .start(() -> {
                    try (socket) {
                      conversation.with(socket);
                    } catch (IOException refused) {
                      // The bridge ended the handshake.
                    }
                  });
            } catch (IOException closed) {
              return;
            }
          }
        });
    return server.getLocalPort();
  }

  // --- rules ---

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void upstream_thatProvesWhoItIs_serves(int listener) throws Exception {
    try (Socket socket = connect(listener)) {
      assertEchoed(socket, "hello");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "wrong-name, tls_wrong_name, other.internal",
    "wrong-id, tls_wrong_name, spiffe://example.org/echo/a",
    "wrong-domain, tls_wrong_name, spiffe://example.org/echo/a",
    "strange, tls_untrusted, not trusted",
    "expired, tls_untrusted, expired",
    "plain, not_tls, does not speak TLS",
    "without-http2, not_http2, ALPN",
    "impostor, tls_wrong_name, somebody else",
    "anonymous, tls_refused, client certificate"
  })
  void upstream_thatDoesNot_isNotServing_andSaysWhy(String pool, String cause, String text) {
    await()
        .atMost(TIMEOUT_S, TimeUnit.SECONDS)
        .untilAsserted(() -> {
          UpstreamStatus status =
              new BridgeOperations(bridge)
                  .upstreams().toCompletableFuture().join().stream()
                      .filter(one -> one.pool().equals(pool))
                      .findFirst()
                      .orElseThrow();
          assertThat(status.isServing()).isFalse();
          assertThat(status.cause()).isEqualTo(cause);
          assertThat(status.problem()).contains(text);
        });
  }

  @Test
  void impostor_getsNoByte() {
    upstream_thatDoesNot_isNotServing_andSaysWhy("impostor", "tls_wrong_name", "somebody else");
    assertThat(bytesOfImpostor).hasValue(0);
  }

  @Test
  void newCertificate_replacesTheLanes_andNoClientNotices() throws Exception {
    long before = replaced();
    try (Socket socket = connect(0)) {
      assertEchoed(socket, "before");
      install(authority.issue(Request.client("bridge-2")));
      await()
          .atMost(TIMEOUT_S, TimeUnit.SECONDS)
          .until(() -> {
            assertEchoed(socket, "meanwhile");
            return replaced() > before;
          });
      assertEchoed(socket, "after");
      assertThat(changes("loaded")).isPositive();
    }
  }

  @Test
  void unusableCertificate_leavesTheFormerInForce() throws Exception {
    long before = changes("refused");
    Path key = folder.resolve("bridge.key");
    byte[] good = Files.readAllBytes(key);
    try (Socket socket = connect(0)) {
      Path other = authority.issue(Request.client("bridge-3")).key();
      Files.move(other, key, StandardCopyOption.REPLACE_EXISTING);
      await().atMost(TIMEOUT_S, TimeUnit.SECONDS).until(() -> changes("refused") > before);
      assertEchoed(socket, "still here");
    } finally {
      Files.write(key, good);
    }
  }

  private static long replaced() {
    return metric("waymark_lanes_replaced_total", "pool=\"address\"");
  }

  private static long changes(String result) {
    return metric(
        "waymark_tls_file_changes_total", "pool=\"address\"", "result=\"" + result + "\"");
  }

  private static long metric(String name, String... labels) {
    return new AdminPort(bridge.adminAddress()).metric(name, labels);
  }

  private static Socket connect(int listener) throws IOException {
    int port = bridge.ports().get(listener).address().getPort();
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setSoTimeout((int) TimeUnit.SECONDS.toMillis(TIMEOUT_S));
    return socket;
  }

  private static void assertEchoed(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(US_ASCII));
    assertThat(new String(socket.getInputStream().readNBytes(text.length()), US_ASCII))
        .isEqualTo(text);
  }
}
