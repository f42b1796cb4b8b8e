package dev.waymark.bridge;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.waymark.api.ReloadOutcome;
import dev.waymark.config.ConfigLoader;
import dev.waymark.config.LoadedConfig;
import dev.waymark.e2e.AdminPort;
import dev.waymark.telemetry.EventLog;
import dev.waymark.upstream.ConnectionHandler;
import dev.waymark.upstream.Upstream;
import dev.waymark.upstream.UpstreamConnection;
import dev.waymark.upstream.UpstreamServer;
import io.grpc.netty.NettyServerBuilder;
import io.netty.buffer.ByteBuf;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.uring.IoUring;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The limits for clients through sockets, from several addresses of the loopback interface. Each
 * case has a listener of its own.
 */
@SuppressWarnings("NullAway.Init")
final class AdmissionIT {
  private static final int TIMEOUT_MS = 20_000;
  private static final byte[] LOCAL = HexFormat.of().parseHex("0d0a0d0a000d0a515549540a20000000");
  private static final List<String> LISTENERS =
      List.of("networks", "file", "source", "often", "rate", "ramp", "proxied", "silent");

  @TempDir private static Path folder;
  private static UpstreamServer upstream;
  private static Bridge bridge;

  @BeforeAll
  static void start() throws Exception {
    InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    upstream =
        UpstreamServer.start(
            Upstream.builder(AdmissionIT::echo).build(), NettyServerBuilder.forAddress(any));
    deny("198.51.100.0/24");
    bridge =
        start(
            """
              - {name: networks, address: '127.0.0.1:0', networks-denied: '127.0.0.0/8', networks-allowed: '127.0.0.5, 192.0.2.0/24'}
              - {name: file, address: '127.0.0.1:0', networks-denied-file: '%s'}
              - {name: source, address: '127.0.0.1:0', connections-per-source: 1}
              - {name: often, address: '127.0.0.1:0', accept-rate-per-source: 2/h}
              - {name: rate, address: '127.0.0.1:0', accept-rate: 2/h}
              - {name: ramp, address: '127.0.0.1:0', accept-rate: 20/h, accept-ramp: 24h}
              - {name: proxied, address: '127.0.0.1:0', connections-per-source: 1, networks-denied: '127.0.0.0/8, 198.51.100.0/24', proxy-protocol: {mode: required, trusted: '127.0.0.0/8'}}
              - {name: silent, address: '127.0.0.1:0', first-byte-timeout: 500ms}
            """
                .formatted(denied()));
  }

  private static Bridge start(String listeners) throws Exception {
    Path file = Files.createTempFile(folder, "waymark", ".yml");
    Files.writeString(
        file,
        "admin: {address: '127.0.0.1:0'}\nlisteners:\n"
            + listeners
            + "pools:\n  - {name: echo, target: 'static:///127.0.0.1:"
            + upstream.port()
            + "'}\n");
    Bridge started =
        new Bridge(load(file), Optional.of(() -> load(file)), new EventLog(Clock::nowNs), () -> 0);
    started.startAdmin();
    started.start(new CountDownLatch(1));
    return started;
  }

  private static LoadedConfig load(Path file) {
    return ConfigLoader.load(Optional.of(file), Map.of(), Map.of());
  }

  private static Path denied() {
    return folder.resolve("denied.txt");
  }

  private static void deny(String network) throws IOException {
    Files.writeString(denied(), "# of this test\n\n" + network + " # one\n");
  }

  @AfterAll
  static void stop() throws InterruptedException {
    bridge.stop();
    upstream.close();
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

  private static Socket connect(String listener) throws IOException {
    return connect(bridge.ports().get(LISTENERS.indexOf(listener)).address(), "127.0.0.1");
  }

  private static Socket connect(String listener, String from) throws IOException {
    return connect(bridge.ports().get(LISTENERS.indexOf(listener)).address(), from);
  }

  private static Socket connect(InetSocketAddress to, String from) throws IOException {
    Socket socket = new Socket();
    socket.bind(new InetSocketAddress(from, 0));
    socket.setSoTimeout(TIMEOUT_MS);
    socket.connect(to, TIMEOUT_MS);
    return socket;
  }

  private static void assertEchoed(Socket socket) throws IOException {
    send(socket, "hello".getBytes(US_ASCII));
    assertThat(new String(socket.getInputStream().readNBytes(5), US_ASCII)).isEqualTo("hello");
  }

  private static void send(Socket socket, byte[] bytes) throws IOException {
    socket.getOutputStream().write(bytes);
  }

  private static void sendHeader(Socket socket, String source) throws IOException {
    send(socket, ("PROXY TCP4 " + source + " 192.0.2.1 40000 443\r\n").getBytes(US_ASCII));
  }

  private static void assertReset(Socket socket) {
    assertThatThrownBy(() -> socket.getInputStream().read())
        .isInstanceOf(SocketException.class)
        .hasMessageContaining("reset");
  }

  private static void assertReset(String listener, String from) {
    assertReset(bridge.ports().get(LISTENERS.indexOf(listener)).address(), from);
  }

  /** The RST may be there as soon as the connection is. */
  private static void assertReset(InetSocketAddress to, String from) {
    assertThatThrownBy(
            () -> {
              try (Socket socket = connect(to, from)) {
                socket.getInputStream().read();
              }
            })
        .isInstanceOf(SocketException.class)
        .hasMessageContaining("reset");
  }

  private static long refused(String listener, String reason) {
    return metric(
        bridge,
        "waymark_connections_refused_total",
        "listener=\"" + listener + "\"",
        "reason=\"" + reason + "\"");
  }

  private static long metric(Bridge of, String name, String... labels) {
    return new AdminPort(of.adminAddress()).metric(name, labels);
  }

  @Test
  void narrowestNetwork_decidesAboutTheClient() throws Exception {
    assertReset("networks", "127.0.0.1");
    try (Socket allowed = connect("networks", "127.0.0.5")) {
      assertEchoed(allowed);
      assertThat(refused("networks", "network_denied")).isOne();
      assertThat(metric(bridge, "waymark_connections_accepted_total", "listener=\"networks\""))
          .isOne();
    }
  }

  @Test
  void networkFile_isReadAgainOnReload() throws Exception {
    try (Socket before = connect("file")) {
      assertEchoed(before);
      deny("127.0.0.1");
      assertThat(bridge.reload().onRequest())
          .isEqualTo(
              new ReloadOutcome.Applied(List.of("listener file changed: networks-denied-file")));
      assertReset("file", "127.0.0.1");
      assertEchoed(before);
      deny("127.0.0.1/8");
      assertThat(bridge.reload().onRequest())
          .isEqualTo(
              new ReloadOutcome.Refused(
                  denied()
                      + ":3: 127.0.0.1/8 (expected: no bits beyond the prefix in 127.0.0.1/8)"));
      assertReset("file", "127.0.0.1");
      deny("198.51.100.0/24");
      assertThat(bridge.reload().onRequest()).isInstanceOf(ReloadOutcome.Applied.class);
    }
    try (Socket after = connect("file")) {
      assertEchoed(after);
    }
  }

  @Test
  void source_mayConnectAgain_onceItsConnectionHasEnded() throws Exception {
    try (Socket first = connect("source")) {
      assertEchoed(first);
      assertReset("source", "127.0.0.1");
      try (Socket other = connect("source", "127.0.0.2")) {
        assertEchoed(other);
      }
      assertThat(refused("source", "source_connections")).isOne();
    }
    String open = "listener=\"source\"";
    await().until(() -> metric(bridge, "waymark_connections_open", open) == 0);
    try (Socket again = connect("source")) {
      assertEchoed(again);
    }
  }

  @Test
  void source_thatConnectsTooOften_isReset() throws Exception {
    for (int i = 0; i < 2; i++) {
      connect("often").close();
    }
    assertReset("often", "127.0.0.1");
    assertThat(refused("often", "source_rate")).isOne();
    assertEchoed(connect("often", "127.0.0.2"));
    assertThat(metric(bridge, "waymark_sources_remembered", "listener=\"often\"")).isEqualTo(2);
  }

  @Test
  void clients_overTheRate_areReset() throws Exception {
    assertEchoed(connect("rate"));
    assertEchoed(connect("rate", "127.0.0.2"));
    assertReset("rate", "127.0.0.3");
    assertThat(refused("rate", "accept_rate")).isOne();
  }

  @Test
  void clients_soonAfterTheStart_areHeldToTheRamp() throws Exception {
    assertEchoed(connect("ramp"));
    assertEchoed(connect("ramp"));
    assertReset("ramp", "127.0.0.1");
    assertThat(refused("ramp", "accept_ramp")).isOne();
  }

  @Test
  void clientBehindAProxy_isTheSource() throws Exception {
    try (Socket first = connect("proxied");
        Socket second = connect("proxied");
        Socket denied = connect("proxied");
        Socket other = connect("proxied")) {
      sendHeader(first, "192.0.2.7");
      assertEchoed(first);
      sendHeader(second, "192.0.2.7");
      assertReset(second);
      sendHeader(denied, "198.51.100.7");
      assertReset(denied);
      sendHeader(other, "192.0.2.8");
      assertEchoed(other);
    }
    assertThat(refused("proxied", "source_connections")).isOne();
    assertThat(refused("proxied", "network_denied")).isOne();
  }

  @Test
  void proxyThatNamesNobody_isNoSource() throws Exception {
    for (int i = 0; i < 2; i++) {
      Socket socket = connect("proxied");
      send(socket, LOCAL);
      assertEchoed(socket);
    }
  }

  @Test
  void client_thatSendsNothing_isClosed() throws Exception {
    try (Socket talking = connect("silent")) {
      assertEchoed(talking);
      try (Socket silent = connect("silent")) {
        assertThat(silent.getInputStream().read()).isEqualTo(-1);
      }
      String[] labels = {"listener=\"silent\"", "reason=\"first_byte_timeout\""};
      await().until(() -> metric(bridge, "waymark_connections_closed_total", labels) == 1);
      assertEchoed(talking);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"nio", "epoll", "io_uring"})
  void refusal_onEveryTransport_isAReset_andLeavesNoDescriptor(String transport) throws Exception {
    switch (transport) {
      case "epoll" -> assumeTrue(Epoll.isAvailable(), "no epoll here");
      case "io_uring" -> assumeTrue(IoUring.isAvailable(), "no io_uring here");
      default -> {}
    }
    Bridge other =
        start(
            """
              - {name: nobody, address: '127.0.0.1:0', networks-allowed: '192.0.2.0/24'}
            transport: %s
            """
                .formatted(transport));
    try {
      InetSocketAddress address = other.ports().getFirst().address();
      assertReset(address, "127.0.0.1");
      long before = metric(other, "process_open_fds");
      for (int i = 0; i < 50; i++) {
        assertReset(address, "127.0.0.1");
      }
      assertThat(metric(other, "waymark_connections_refused_total", "network_not_allowed"))
          .isEqualTo(51);
      await().until(() -> metric(other, "process_open_fds") < before + 25);
    } finally {
      other.stop();
    }
  }
}
