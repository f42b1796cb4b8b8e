package dev.waymark.tools.directory.dns;

import static io.netty.handler.codec.dns.DnsRecordType.A;
import static io.netty.handler.codec.dns.DnsRecordType.SRV;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.waymark.net.admission.Rate;
import dev.waymark.telemetry.Metrics;
import io.netty.channel.EventLoop;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The server with sockets: UDP and TCP, limits, and what is counted. */
class DnsServerIT {
  private static final int TIMEOUT_MS = 10_000;

  private static final MultiThreadIoEventLoopGroup GROUP =
      new MultiThreadIoEventLoopGroup(
          1, Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());

  private final EventLoop loop = (EventLoop) GROUP.next();
  private final Metrics metrics = new Metrics();
  private final FakeCatalog catalog = new FakeCatalog().put("echo", "10.0.0.7:4770");

  @SuppressWarnings("NullAway.Init")
  private DnsServer server;

  @AfterEach
  void stop() {
    if (server != null) {
      server.close();
    }
    assertThat(catalog.subscriberCount()).isZero();
  }

  @AfterAll
  static void endLoop() {
    GROUP.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
  }

  static List<IoHandlerFactory> transports() {
    return Epoll.isAvailable()
        ? List.of(EpollIoHandler.newFactory(), NioIoHandler.newFactory())
        : List.of(NioIoHandler.newFactory());
  }

  @ParameterizedTest
  @MethodSource("transports")
  void queries_areAnsweredOverUdpAndTcp_withEachTransport(IoHandlerFactory handlers)
      throws IOException {
    var group = new MultiThreadIoEventLoopGroup(1, handlers);
    try (DnsServer started =
            DnsServer.start((EventLoop) group.next(), catalog, options("127.0.0.1"), metrics);
        Client tcp = new Client(started.address())) {
      TestQuery query = new TestQuery("echo.waymark.internal", A);
      List<String> expected = List.of("echo.waymark.internal. 2 A 10.0.0.7");
      assertThat(udp(started.address(), query).answers()).isEqualTo(expected);
      assertThat(tcp.send(query).receive().answers()).isEqualTo(expected);
    } finally {
      group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }
  }

  @Test
  void ipv6_isServedOnItsOwnAddress() throws IOException {
    start(options("::1"));
    assertThat(udp(server.address(), new TestQuery("ns.dns.waymark.internal", A)).answers())
        .isEmpty();
    assertThat(udp(server.address(), new TestQuery("echo.waymark.internal", A)).answers())
        .hasSize(1);
  }

  @Test
  void port_thatIsTaken_isNamed() throws IOException {
    start(options("127.0.0.1"));
    DnsOptions taken = DnsOptions.at(server.address());
    assertThatThrownBy(() -> DnsServer.start(loop, catalog, taken, metrics))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("in use");
    assertThat(catalog.subscriberCount()).isEqualTo(1);
  }

  @Test
  void catalog_changes_showInTheNextAnswer() throws IOException {
    start(options("127.0.0.1"));
    loop.submit(() -> catalog.put("echo", "10.0.0.8:4770")).syncUninterruptibly();
    assertThat(udp(server.address(), new TestQuery("echo.waymark.internal", A)).answers())
        .hasSize(2);
  }

  @Test
  void answer_tooLongForUdp_isWholeOverTcp() throws IOException {
    for (int i = 0; i < 200; i++) {
      catalog.put("echo", "10.0.1." + i + ":4770");
    }
    start(options("127.0.0.1"));
    TestQuery query = new TestQuery("echo.waymark.internal", SRV).edns(4096);
    assertThat(udp(server.address(), query).flags()).isEqualTo("aa tc rd");
    try (Client tcp = new Client(server.address())) {
      assertThat(tcp.send(query).receive().answers()).hasSize(201);
    }
    assertThat(metric("waymark_dns_answers_truncated_total")).isEqualTo(1);
  }

  @Test
  void connection_withManyQueriesAtOnce_getsAllAnswersInOrder() throws IOException {
    start(options("127.0.0.1"));
    try (Client tcp = new Client(server.address())) {
      TestQuery found = new TestQuery("echo.waymark.internal", A);
      TestQuery missing = new TestQuery("none.waymark.internal", A);
      for (int i = 0; i < 100; i++) {
        tcp.send(found).send(missing);
      }
      for (int i = 0; i < 100; i++) {
        assertThat(tcp.receive().code()).isEqualTo("NOERROR");
        assertThat(tcp.receive().code()).isEqualTo("NXDOMAIN");
      }
    }
    assertThat(metric("waymark_dns_queries_total{type=\"a\"}")).isEqualTo(200);
    assertThat(metric("waymark_dns_answers_total{code=\"nxdomain\"}")).isEqualTo(100);
    await().until(() -> metric("waymark_dns_connections") == 0);
  }

  @Test
  void connection_thatDoesNotRead_isNotReadEither() throws Exception {
    for (int i = 0; i < 900; i++) {
      catalog.put("echo", "10.1." + i / 250 + "." + i % 250 + ":4770");
    }
    start(options("127.0.0.1"));
    TestQuery large = new TestQuery("echo.waymark.internal", SRV);
    int sent = 2_000;
    try (Client tcp = new Client(server.address())) {
      Thread writer =
          Thread.ofVirtual()
              .start(() -> {
                for (int i = 0; i < sent; i++) {
                  tcp.send(large);
                }
              });
      // More than 100 MiB of answers: only what socket buffers and the bound hold is made.
      await().until(() -> metric("waymark_dns_queries_total{type=\"srv\"}") > 10);
      await()
          .during(Duration.ofMillis(300))
          .until(() -> metric("waymark_dns_queries_total{type=\"srv\"}") < 500);
      for (int i = 0; i < sent; i++) {
        assertThat(tcp.receiveBytes().length).isGreaterThan(40_000);
      }
      writer.join();
    }
  }

  @Test
  void connections_thatAreSilent_areClosed() throws IOException {
    DnsOptions defaults = options("127.0.0.1");
    start(
        new DnsOptions(
            defaults.listen(),
            defaults.zone(),
            defaults.ttl(),
            defaults.udpBytesMax(),
            defaults.connectionsMax(),
            Duration.ofMillis(700),
            Optional.empty()));
    try (Client silent = new Client(server.address());
        Client half = new Client(server.address())) {
      half.sendRaw(0, 30, 1);
      silent.expectEnd();
      half.expectEnd();
    }
  }

  @Test
  void connections_overTheLimit_takeThePlaceOfTheMostSilent() throws IOException {
    DnsOptions defaults = options("127.0.0.1");
    start(
        new DnsOptions(
            defaults.listen(),
            defaults.zone(),
            defaults.ttl(),
            defaults.udpBytesMax(),
            2,
            Duration.ofMinutes(1),
            Optional.empty()));
    TestQuery query = new TestQuery("echo.waymark.internal", A);
    try (Client first = new Client(server.address());
        Client second = new Client(server.address())) {
      first.send(query).receive();
      second.send(query).receive();
      first.send(query).receive();
      try (Client third = new Client(server.address())) {
        third.send(query).receive();
        second.expectEnd();
        first.send(query).receive();
      }
    }
    assertThat(metric("waymark_dns_connections_evicted_total")).isEqualTo(1);
    assertThat(metric("waymark_dns_connections_opened_total")).isEqualTo(3);
  }

  @Test
  void query_thatIsTooLong_endsItsConnectionOnly() throws IOException {
    start(options("127.0.0.1"));
    try (Client greedy = new Client(server.address());
        Client other = new Client(server.address())) {
      greedy.sendRaw(0xff, 0xff, 0);
      greedy.expectEnd();
      other.sendRaw(0, 0);
      other.sendRaw(0, 3, 1, 2, 3);
      assertThat(other.send(new TestQuery("echo.waymark.internal", A)).receive().answers())
          .hasSize(1);
    }
  }

  @Test
  void clientThatResets_disturbsNobody() throws IOException {
    start(options("127.0.0.1"));
    for (int i = 0; i < 20; i++) {
      try (Client reset = new Client(server.address())) {
        reset.send(new TestQuery("echo.waymark.internal", A));
        reset.socket.setSoLinger(true, 0);
      }
    }
    assertThat(udp(server.address(), new TestQuery("echo.waymark.internal", A)).answers())
        .hasSize(1);
    await().until(() -> metric("waymark_dns_connections") == 0);
  }

  @Test
  void rate_doesNotApplyToTheHostItself() throws IOException {
    DnsOptions defaults = options("127.0.0.1");
    start(
        new DnsOptions(
            defaults.listen(),
            defaults.zone(),
            defaults.ttl(),
            defaults.udpBytesMax(),
            defaults.connectionsMax(),
            defaults.idleTimeout(),
            Optional.of(new Rate(1, TimeUnit.HOURS))));
    for (int i = 0; i < 3; i++) {
      assertThat(udp(server.address(), new TestQuery("echo.waymark.internal", A)).answers())
          .hasSize(1);
    }
  }

  @Test
  void packets_thatAreNoQueries_getNoAnswer() throws IOException {
    start(options("127.0.0.1"));
    try (DatagramSocket socket = new DatagramSocket()) {
      send(socket, new byte[0]);
      send(socket, new byte[] {1, 2, 3});
      send(socket, new TestQuery("echo.waymark.internal", A).flags(0x8000).bytes());
      send(socket, new byte[3_000]);
      // The answer to the last is the first to come.
      assertThat(TestAnswer.read(receive(socket)).code()).isEqualTo("FORMERR");
    }
    assertThat(metric("waymark_dns_packets_ignored_total")).isEqualTo(3);
  }

  private static DnsOptions options(String host) {
    return DnsOptions.at(new InetSocketAddress(host, 0));
  }

  private void start(DnsOptions options) throws IOException {
    server = DnsServer.start(loop, catalog, options, metrics);
  }

  private long metric(String name) {
    return new String(metrics.prometheusText(), UTF_8)
        .lines()
        .filter(line -> line.startsWith(name + " "))
        .mapToLong(line -> (long) Double.parseDouble(line.substring(name.length() + 1)))
        .findFirst()
        .orElseThrow();
  }

  private static TestAnswer udp(InetSocketAddress address, TestQuery query) throws IOException {
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.setSoTimeout(TIMEOUT_MS);
      socket.send(new DatagramPacket(query.bytes(), query.bytes().length, address));
      return TestAnswer.read(receive(socket));
    }
  }

  private void send(DatagramSocket socket, byte[] packet) throws IOException {
    socket.setSoTimeout(TIMEOUT_MS);
    socket.send(new DatagramPacket(packet, packet.length, server.address()));
  }

  private static byte[] receive(DatagramSocket socket) throws IOException {
    DatagramPacket answer = new DatagramPacket(new byte[65_535], 65_535);
    socket.receive(answer);
    return Arrays.copyOf(answer.getData(), answer.getLength());
  }

  /** A TCP client. */
  private static final class Client implements AutoCloseable {
    final Socket socket = new Socket();
    private final DataInputStream in;
    private final DataOutputStream out;

    Client(InetSocketAddress address) throws IOException {
      socket.setSoTimeout(TIMEOUT_MS);
      socket.connect(address, TIMEOUT_MS);
      in = new DataInputStream(socket.getInputStream());
      out = new DataOutputStream(socket.getOutputStream());
    }

    Client send(TestQuery query) {
      byte[] bytes = query.bytes();
      byte[] message = new byte[Short.BYTES + bytes.length];
      message[1] = (byte) bytes.length;
      System.arraycopy(bytes, 0, message, Short.BYTES, bytes.length);
      try {
        out.write(message);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return this;
    }

    void sendRaw(int... bytes) throws IOException {
      for (int each : bytes) {
        out.writeByte(each);
      }
    }

    byte[] receiveBytes() throws IOException {
      byte[] message = new byte[in.readUnsignedShort()];
      in.readFully(message);
      return message;
    }

    TestAnswer receive() throws IOException {
      return TestAnswer.read(receiveBytes());
    }

    /** The server closes it, with a FIN or, with bytes that it has not read, a reset. */
    void expectEnd() throws IOException {
      try {
        assertThat(in.read()).isEqualTo(-1);
      } catch (SocketException reset) {
        assertThat(reset).hasMessageContaining("reset");
      }
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }
}
