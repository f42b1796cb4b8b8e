package dev.waymark.bridge;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.waymark.config.ConfigLoader;
import dev.waymark.config.LoadedConfig;
import dev.waymark.e2e.AdminPort;
import dev.waymark.e2e.Waymark;
import dev.waymark.protocol.Open;
import dev.waymark.protocol.ProxyFacts;
import dev.waymark.telemetry.EventLog;
import dev.waymark.upstream.ConnectionHandler;
import dev.waymark.upstream.Upstream;
import dev.waymark.upstream.UpstreamConnection;
import dev.waymark.upstream.UpstreamServer;
import io.grpc.netty.NettyServerBuilder;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The PROXY protocol through sockets: an echo upstream behind a bridge behind real proxies. */
final class ProxyProtocolIT {
  private static final int TIMEOUT_MS = 20_000;
  private static final String NGINX_STREAM = "/usr/lib/nginx/modules/ngx_stream_module.so";
  private static final String HOST = "waymark.example";
  private static final byte[] LOCAL = HexFormat.of().parseHex("0d0a0d0a000d0a515549540a20000000");

  private final LinkedBlockingQueue<Open> opens = new LinkedBlockingQueue<>();
  @TempDir private Path folder;

  @SuppressWarnings("NullAway.Init")
  private UpstreamServer upstream;

  @SuppressWarnings("NullAway.Init")
  private Bridge bridge;

  @BeforeEach
  void start() throws Exception {
    InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    upstream =
        UpstreamServer.start(
            Upstream.builder(this::echo).build(), NettyServerBuilder.forAddress(any));
    Path file = folder.resolve("waymark.yml");
    Files.writeString(
        file,
        """
        admin: {address: '127.0.0.1:0'}
        listeners:
          - {name: proxied, address: '127.0.0.1:0', proxy-protocol: {mode: required, trusted: '127.0.0.0/8, ::1', header-timeout: 20s}}
          - {name: untrusted, address: '127.0.0.1:0', proxy-protocol: {mode: required, trusted: '192.0.2.0/24'}}
          - {name: hasty, address: '127.0.0.1:0', proxy-protocol: {mode: required, trusted: '127.0.0.1', header-timeout: 100ms}}
          - {name: narrow, address: '127.0.0.1:0', connections-max: 1, proxy-protocol: {mode: required, trusted: '127.0.0.1'}}
          - {name: lines, address: '127.0.0.1:0', framing: line, proxy-protocol: {mode: required, trusted: '127.0.0.1'}}
        pools:
          - {name: echo, target: 'static:///127.0.0.1:%d'}
        """
            .formatted(upstream.port()));
    LoadedConfig config = ConfigLoader.load(Optional.of(file), Map.of(), Map.of());
    bridge = new Bridge(config, Optional.empty(), new EventLog(Clock::nowNs), () -> 0);
    bridge.startAdmin();
    bridge.start(new CountDownLatch(1));
  }

  @AfterEach
  void stop() throws InterruptedException {
    bridge.stop();
    upstream.close();
  }

  private ConnectionHandler echo(UpstreamConnection connection) {
    opens.add(connection.open());
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

  private int port(int listener) {
    return bridge.ports().get(listener).address().getPort();
  }

  private long metric(String name, String... labels) {
    return new AdminPort(bridge.adminAddress()).metric(name, labels);
  }

  private long refused(String listener, String reason) {
    return metric(
        "waymark_connections_refused_total",
        "listener=\"" + listener + "\"",
        "reason=\"" + reason + "\"");
  }

  private static Socket connect(int port) throws IOException {
    Socket socket = new Socket();
    socket.setSoTimeout(TIMEOUT_MS);
    socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), TIMEOUT_MS);
    return socket;
  }

  private static void assertEchoed(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(US_ASCII));
    assertReads(socket, text);
  }

  private static void assertReads(Socket socket, String text) throws IOException {
    assertThat(new String(socket.getInputStream().readNBytes(text.length()), US_ASCII))
        .isEqualTo(text);
  }

  private static void assertClosed(Socket socket) {
    int read;
    try {
      read = socket.getInputStream().read();
    } catch (IOException reset) {
      read = -1;
    }
    assertThat(read).isEqualTo(-1);
  }

  private Open nextOpen() throws InterruptedException {
    return Objects.requireNonNull(opens.poll(TIMEOUT_MS, TimeUnit.MILLISECONDS), "no Open");
  }

  private static ProxyFacts proxyOf(Open open) {
    return Objects.requireNonNull(open.proxy(), "no ProxyFacts");
  }

  private static String local(Socket socket) {
    return "127.0.0.1:" + socket.getLocalPort();
  }

  // --- without a proxy ---

  @Test
  void header_inPieces_thenData_isServedWithTheClientsAddress() throws Exception {
    try (Socket socket = connect(port(0))) {
      socket.setTcpNoDelay(true);
      for (String piece :
          List.of("PRO", "XY TCP6 2001:db8::7 2001:db8::1 40000", " 443\r", "\nhel")) {
        socket.getOutputStream().write(piece.getBytes(US_ASCII));
        socket.getOutputStream().flush();
      }
      assertReads(socket, "hel");
      Open open = nextOpen();
      assertThat(open.clientAddress()).isEqualTo("[2001:db8::7]:40000");
      assertThat(open.localAddress()).isEqualTo("127.0.0.1:" + port(0));
      assertThat(proxyOf(open).destinationAddress()).isEqualTo("[2001:db8::1]:443");
      assertThat(proxyOf(open).proxyAddress()).isEqualTo(local(socket));
      assertEchoed(socket, "lo");
    }
  }

  @Test
  void header_thenMessages_areFramed() throws Exception {
    try (Socket socket = connect(port(4))) {
      socket
          .getOutputStream()
          .write("PROXY TCP4 192.0.2.7 192.0.2.1 40000 443\r\none\ntw".getBytes(US_ASCII));
      assertReads(socket, "one\n");
      socket.getOutputStream().write("o\n".getBytes(US_ASCII));
      assertReads(socket, "two\n");
    }
  }

  @Test
  void peer_outsideTheTrustedNetworks_isClosed() throws Exception {
    try (Socket socket = connect(port(1))) {
      assertClosed(socket);
      await().until(() -> refused("untrusted", "proxy_untrusted") == 1);
    }
  }

  @Test
  void client_withoutAHeader_isClosed() throws Exception {
    try (Socket socket = connect(port(0))) {
      socket.getOutputStream().write("GET / HTTP/1.1\r\n\r\n".getBytes(US_ASCII));
      assertClosed(socket);
      await().until(() -> refused("proxied", "proxy_header_missing") == 1);
      assertThat(opens).isEmpty();
    }
  }

  @Test
  void client_thatIsSilent_isClosedAfterTheTimeout() throws Exception {
    try (Socket socket = connect(port(2))) {
      assertClosed(socket);
      await().until(() -> refused("hasty", "proxy_header_timeout") == 1);
    }
  }

  @Test
  void client_thatSentNoHeaderYet_countsTowardsConnectionsMax() throws Exception {
    String max = "listener=\"narrow\"";
    try (Socket first = connect(port(3))) {
      await().until(() -> metric("waymark_connections_open", max) == 1);
      try (Socket second = connect(port(3))) {
        assertClosed(second);
      }
      assertThat(refused("narrow", "connections_max")).isEqualTo(1);
      first.getOutputStream().write("PROXY TCP4 192.0.2.7 192.0.2.1 1 2\r\n".getBytes(US_ASCII));
      assertEchoed(first, "hello");
    }
    await().until(() -> metric("waymark_connections_open", max) == 0);
  }

  @Test
  void proxyThatSpeaksForItself_isServedWithItsOwnAddress_andAfterASilenceToo() throws Exception {
    try (Socket socket = connect(port(0))) {
      socket.getOutputStream().write(LOCAL);
      Open open = nextOpen();
      assertThat(open.clientAddress()).isEqualTo(local(socket));
      assertThat(proxyOf(open).isLocal()).isTrue();
      assertEchoed(socket, "hello");
    }
  }

  // --- HAProxy ---

  private Waymark haproxy(String... lines) throws IOException {
    assumeTrue(
        Waymark.isOnPath("haproxy") || Files.exists(Path.of("/usr/sbin/haproxy")),
        "haproxy is not installed");
    String start =
        """
        defaults
          mode tcp
          timeout connect 5s
          timeout client 20s
          timeout server 20s
        """;
    Path file = folder.resolve("haproxy.cfg");
    Files.writeString(file, start + String.join("\n", lines) + "\n");
    String program = Waymark.isOnPath("haproxy") ? "haproxy" : "/usr/sbin/haproxy";
    return Waymark.program(program, "-f", file.toString(), "-db").start();
  }

  private static void awaitListening(Waymark proxy, int port) {
    await()
        .ignoreExceptions()
        .failFast(() -> assertThat(proxy.isAlive()).as(proxy.describe()).isTrue())
        .until(() -> {
          connect(port).close();
          return true;
        });
  }

  @Test
  void haproxy_withVersion1_namesTheClient() throws Exception {
    int front = Waymark.freePort();
    try (Waymark proxy =
        haproxy(
            "listen front",
            "  bind 127.0.0.1:" + front,
            "  server bridge 127.0.0.1:" + port(0) + " send-proxy")) {
      awaitListening(proxy, front);
      opens.clear();
      try (Socket socket = connect(front)) {
        assertEchoed(socket, "hello");
        Open open = openOf(socket);
        assertThat(open.clientAddress()).isEqualTo(local(socket));
        assertThat(proxyOf(open).version()).isEqualTo(1);
        assertThat(proxyOf(open).destinationAddress()).isEqualTo("127.0.0.1:" + front);
        assertThat(proxyOf(open).proxyAddress()).isNotEqualTo(local(socket));
      }
    }
  }

  /** The probe for the open port may have come through as a client of its own. */
  private Open openOf(Socket client) throws InterruptedException {
    Open open = nextOpen();
    while (!open.clientAddress().equals(local(client))) {
      open = nextOpen();
    }
    return open;
  }

  @Test
  void haproxy_withVersion2AndTls_tellsAllItKnows() throws Exception {
    assumeTrue(Waymark.isOnPath("openssl"), "openssl is not installed");
    int front = Waymark.freePort();
    Path pem = certificate();
    try (Waymark proxy =
        haproxy(
            "listen front",
            "  bind 127.0.0.1:" + front + " ssl crt " + pem + " alpn echo",
            "  unique-id-format id-%ci-%fp",
            "  server bridge 127.0.0.1:"
                + port(0)
                + " send-proxy-v2 proxy-v2-options ssl,ssl-cipher,cert-key,unique-id,crc32c,authority")) {
      awaitListening(proxy, front);
      try (Socket plain = connect(front);
          SSLSocket socket = tls(plain, pem)) {
        assertEchoed(socket, "hello");
        Open open = openOf(socket);
        ProxyFacts facts = proxyOf(open);
        assertThat(facts.version()).isEqualTo(2);
        assertThat(facts.authority()).isEqualTo(HOST);
        assertThat(facts.applicationProtocol()).isEqualTo("echo");
        assertThat(facts.uniqueId()).isEqualTo(("id-127.0.0.1-" + front).getBytes(US_ASCII));
        ProxyFacts.Tls tls = Objects.requireNonNull(facts.tls());
        assertThat(tls.version()).isEqualTo(socket.getSession().getProtocol());
        assertThat(tls.cipher()).isEqualTo(socket.getSession().getCipherSuite());
        assertThat(tls.hasClientCertificate()).isFalse();
        assertThat(tls.isVerified()).isFalse();
        assertThat(tls.others().stream().map(ProxyFacts.Tlv::type)).contains(0x25);
        assertThat(facts.isCut()).isFalse();
      }
    }
  }

  private Path certificate() throws Exception {
    Path key = folder.resolve("key.pem");
    Path certificate = folder.resolve("cert.pem");
    try (Waymark openssl =
        Waymark.program(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=" + HOST,
                "-addext",
                "subjectAltName=DNS:" + HOST,
                "-keyout",
                key.toString(),
                "-out",
                certificate.toString())
            .start()) {
      assertThat(openssl.exitCode()).as(openssl.describe()).isZero();
    }
    Path both = folder.resolve("both.pem");
    Files.writeString(both, Files.readString(certificate) + Files.readString(key));
    return both;
  }

  private static SSLSocket tls(Socket plain, Path pem) throws Exception {
    KeyStore keys = KeyStore.getInstance(KeyStore.getDefaultType());
    keys.load(null, null);
    try (var in = Files.newInputStream(pem)) {
      keys.setCertificateEntry(
          "proxy", CertificateFactory.getInstance("X.509").generateCertificate(in));
    }
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(keys);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    SSLSocket socket =
        (SSLSocket) context.getSocketFactory().createSocket(plain, HOST, plain.getPort(), true);
    SSLParameters parameters = socket.getSSLParameters();
    parameters.setServerNames(List.of(new SNIHostName(HOST)));
    parameters.setApplicationProtocols(new String[] {"echo"});
    socket.setSSLParameters(parameters);
    return socket;
  }

  @Test
  void haproxy_checksOfAllKinds_reachNoUpstream() throws Exception {
    String check = " check check-send-proxy inter 50ms";
    String to = "127.0.0.1:" + port(0);
    try (Waymark proxy =
        haproxy(
            "listen front",
            "  bind 127.0.0.1:" + Waymark.freePort(),
            "  server one " + to + " send-proxy" + check,
            "  server two " + to + " send-proxy-v2 proxy-v2-options crc32c" + check,
            "  server three " + to + " send-proxy check inter 50ms")) {
      await()
          .failFast(() -> assertThat(proxy.isAlive()).as(proxy.describe()).isTrue())
          .until(() -> metric("waymark_proxy_checks_total", "listener=\"proxied\"") > 12);
      assertThat(opens).isEmpty();
      assertThat(metric("waymark_connections_accepted_total", "listener=\"proxied\"")).isZero();
      assertThat(metric("waymark_connections_refused_total", "listener=\"proxied\"")).isZero();
      assertThat(proxy.describe()).doesNotContain("DOWN");
    }
  }

  // --- nginx ---

  @Test
  void nginx_namesTheClient() throws Exception {
    assumeTrue(Files.exists(Path.of("/usr/sbin/nginx")), "nginx is not installed");
    assumeTrue(
        Files.exists(Path.of(NGINX_STREAM)),
        "nginx has no stream module: apt-get install libnginx-mod-stream");
    int front = Waymark.freePort();
    Path file = folder.resolve("nginx.conf");
    Files.writeString(
        file,
        Stream.of(
                "load_module " + NGINX_STREAM + ";",
                "daemon off;",
                "pid " + folder.resolve("nginx.pid") + ";",
                "error_log stderr;",
                "events {}",
                "stream {",
                "  server {",
                "    listen 127.0.0.1:" + front + ";",
                "    proxy_pass 127.0.0.1:" + port(0) + ";",
                "    proxy_protocol on;",
                "  }",
                "}")
            .reduce("", (all, line) -> all + line + "\n"));
    try (Waymark proxy =
        Waymark.program("/usr/sbin/nginx", "-e", "stderr", "-c", file.toString()).start()) {
      awaitListening(proxy, front);
      try (Socket socket = connect(front)) {
        assertEchoed(socket, "hello");
        Open open = openOf(socket);
        assertThat(proxyOf(open).version()).isEqualTo(1);
        assertThat(proxyOf(open).destinationAddress()).isEqualTo("127.0.0.1:" + front);
      }
    }
  }
}
