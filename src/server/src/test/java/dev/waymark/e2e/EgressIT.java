package dev.waymark.e2e;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.waymark.config.HostPort;
import dev.waymark.config.TlsKeys.MissingCloseNotify;
import dev.waymark.e2e.ForeignServer.Kind;
import dev.waymark.telemetry.EventLog;
import dev.waymark.tools.egress.EgressOptions;
import dev.waymark.tools.egress.EgressServer;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Servers that speak no gRPC behind egress and bridge, used with their own clients; and a plain
 * socket for what those do not show. One bridge with a pool for each server.
 */
final class EgressIT {
  /** How much scp copies in each direction. */
  private static final int SCP_MIB = Integer.getInteger("waymark.egress.scp.mib", 20);

  private static final String PLAIN = "plain";
  private static final String MORTAL = "mortal";
  private static final String PROXIED = "proxied";
  private static final int TIMEOUT_MS = 30_000;
  private static final Duration TIMEOUT = Duration.ofMillis(TIMEOUT_MS);

  @TempDir private static Path folder;

  private static final Map<Kind, ForeignServer> SERVERS = new EnumMap<>(Kind.class);
  private static final Map<String, EgressServer> EGRESSES = new LinkedHashMap<>();

  /** Each end is the test's own. */
  private static ServerSocket server;

  /** An egress in its own process, to be killed. */
  private static Waymark mortal;

  private static Bridge bridge;

  @BeforeAll
  static void start() throws Exception {
    server = listen(0);
    Waymark.Launch mortalEgress =
        Waymark.command(
                "egress",
                "--listen=127.0.0.1:0",
                "--admin=127.0.0.1:0",
                "--to=127.0.0.1:" + server.getLocalPort(),
                "--probe-interval=0")
            .quick();
    mortal = mortalEgress.start();
    for (Kind kind : Kind.values()) {
      if (ForeignServer.isInstalled(kind)) {
        Path own = Files.createDirectory(folder.resolve(kind.label()));
        SERVERS.put(kind, ForeignServer.start(kind, own));
      }
    }
    for (Map.Entry<Kind, ForeignServer> each : SERVERS.entrySet()) {
      each.getValue().awaitListening();
      EGRESSES.put(each.getKey().label(), egress(each.getValue().port(), false, Duration.ZERO));
    }
    EGRESSES.put(PLAIN, egress(server.getLocalPort(), false, Duration.ZERO));
    EGRESSES.put(PROXIED, egress(server.getLocalPort(), true, Duration.ZERO));
    Map<String, String> targets = new LinkedHashMap<>();
    EGRESSES.forEach(
        (name, egress) -> targets.put(name, "127.0.0.1:" + egress.address().getPort()));
    targets.put(MORTAL, mortal.awaitLine("egress serves Attach on (\\S+), ").group(1));
    bridge = Bridge.configured(Files.writeString(folder.resolve("waymark.yml"), config(targets)));
    await().atMost(TIMEOUT).until(() -> bridge.admin().status("/readyz") == 200);
  }

  private static String config(Map<String, String> targets) {
    return "shards: 1\nlisteners:\n"
        + targets.keySet().stream()
            .map(name -> "- {name: %s, address: '127.0.0.1:0', pool: %s}\n".formatted(name, name))
            .collect(Collectors.joining())
        + "pools:\n"
        + targets.entrySet().stream()
            .map(each ->
                "- {name: %s, target: 'static:///%s', health-retry-max: 300ms}\n"
                    .formatted(each.getKey(), each.getValue()))
            .collect(Collectors.joining());
  }

  private static EgressServer egress(int port, boolean sendsProxyHeader, Duration probeInterval)
      throws Exception {
    return EgressServer.start(
        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
        new EgressOptions(
            new HostPort("127.0.0.1", port),
            Duration.ofSeconds(5),
            probeInterval,
            sendsProxyHeader,
            Optional.empty(),
            MissingCloseNotify.LOST,
            null,
            1_000),
        new EventLog(System::nanoTime));
  }

  @AfterAll
  static void stop() throws IOException {
    if (bridge != null) {
      bridge.close();
    }
    EGRESSES.values().forEach(EgressServer::close);
    SERVERS.values().forEach(ForeignServer::close);
    if (mortal != null) {
      mortal.close();
    }
    server.close();
  }

  // --- servers that others wrote ---

  @Test
  void redis_servesItsClientAndItsBenchmark() {
    ForeignServer redis = server(Kind.REDIS);
    String port = port(Kind.REDIS);
    assertThat(run(redis, "redis-cli", "-p", port, "set", "key", "value")).contains("OK");
    assertThat(run(redis, "redis-cli", "-p", port, "get", "key")).contains("value");
    run(
        redis,
        "redis-benchmark",
        "-p",
        port,
        "-n",
        "300",
        "-c",
        "10",
        "-P",
        "4",
        "-d",
        "1000",
        "-t",
        "set,get",
        "-q");
  }

  @Test
  void postgresql_servesPgbench() {
    ForeignServer postgresql = server(Kind.POSTGRESQL);
    assumeTrue(Waymark.isOnPath("pgbench"), "no pgbench");
    String[] common = {"pgbench", "-h", "127.0.0.1", "-p", port(Kind.POSTGRESQL), "-U", "postgres"};
    run(postgresql, with(common, "-i", "-q", "postgres"));
    assertThat(run(postgresql, with(common, "-c", "4", "-t", "25", "postgres")))
        .contains("number of failed transactions: 0");
  }

  @Test
  void mosquitto_deliversWhatIsPublished() {
    ForeignServer mosquitto = server(Kind.MOSQUITTO);
    assumeTrue(Waymark.isOnPath("mosquitto_sub"), "no mosquitto_sub");
    String[] common = {"-h", "127.0.0.1", "-p", port(Kind.MOSQUITTO), "-q", "1", "-t", "topic"};
    try (Waymark subscriber =
        Waymark.program(
                with(new String[] {"stdbuf", "-oL", "mosquitto_sub", "-d", "-C", "20"}, common))
            .start()) {
      subscriber.awaitLine("Subscribed \\(mid");
      run(
          mosquitto,
          with(new String[] {"mosquitto_pub", "--repeat", "20", "-m", "message"}, common));
      assertThat(subscriber.exitCode(TIMEOUT)).isZero();
      assertThat(subscriber.stdout().lines().filter("message"::equals)).hasSize(20);
    }
  }

  @Test
  void beanstalkd_keepsJobs() throws IOException {
    ForeignServer unused = server(Kind.BEANSTALKD);
    assertThat(unused.port()).isPositive();
    byte[] job = bytes(500_000, 1);
    try (Socket client = connect(bridgePort(Kind.BEANSTALKD.label()))) {
      OutputStream out = client.getOutputStream();
      InputStream in = client.getInputStream();
      out.write(("put 0 0 60 " + job.length + "\r\n").getBytes(US_ASCII));
      out.write(job);
      out.write("\r\nreserve\r\n".getBytes(US_ASCII));
      assertThat(line(in)).isEqualTo("INSERTED 1");
      assertThat(line(in)).isEqualTo("RESERVED 1 " + job.length);
      assertThat(Arrays.mismatch(in.readNBytes(job.length), job)).isEqualTo(-1);
      assertThat(line(in)).isEmpty();
      out.write("delete 1\r\n".getBytes(US_ASCII));
      assertThat(line(in)).isEqualTo("DELETED");
    }
  }

  @Test
  void sshd_copiesAFileThereAndBack() throws IOException {
    ForeignServer sshd = server(Kind.SSHD);
    assumeTrue(Waymark.isOnPath("scp"), "no scp");
    Path file = sshd.folder().resolve("file");
    Path there = sshd.folder().resolve("there");
    Path back = sshd.folder().resolve("back");
    Files.write(file, bytes(SCP_MIB << 20, 2));
    String[] scp = {
      "scp",
      "-q",
      "-P",
      port(Kind.SSHD),
      "-i",
      sshd.folder().resolve("client_key").toString(),
      "-o",
      "StrictHostKeyChecking=no",
      "-o",
      "UserKnownHostsFile=/dev/null"
    };
    String remote = System.getProperty("user.name") + "@127.0.0.1:" + there;
    run(sshd, with(scp, file.toString(), remote));
    assertThat(Files.mismatch(file, there)).isEqualTo(-1);
    run(sshd, with(scp, remote, back.toString()));
    assertThat(Files.mismatch(file, back)).isEqualTo(-1);
  }

  @Test
  void iperf3_measuresBothDirections() {
    ForeignServer iperf = server(Kind.IPERF3);
    String[] common = {"iperf3", "-c", "127.0.0.1", "-p", port(Kind.IPERF3), "-n", "20M"};
    assertThat(run(iperf, common)).contains("iperf Done.");
    assertThat(run(iperf, with(common, "-R"))).contains("iperf Done.");
  }

  // --- what their clients do not show ---

  @Test
  void halfClose_ofTheClient_reachesTheServer_whichGoesOnSending() throws IOException {
    try (Socket client = connect(bridgePort(PLAIN));
        Socket accepted = accept()) {
      byte[] sent = bytes(300_000, 3);
      try (var sending = Clients.inBackground(() -> sendAndFinish(client, sent))) {
        assertReceives(accepted, sent);
        sending.join();
      }
      byte[] answer = bytes(1_000_000, 4);
      try (var sending = Clients.inBackground(() -> sendAndFinish(accepted, answer))) {
        assertReceives(client, answer);
        sending.join();
      }
      assertThat(reasonOf(client)).isEqualTo("done");
    }
  }

  @Test
  void halfClose_ofTheServer_reachesTheClient_whichGoesOnSending() throws IOException {
    try (Socket client = connect(bridgePort(PLAIN));
        Socket accepted = accept()) {
      accepted.getOutputStream().write("bye".getBytes(US_ASCII));
      accepted.shutdownOutput();
      assertThat(client.getInputStream().readAllBytes()).isEqualTo("bye".getBytes(US_ASCII));
      byte[] sent = bytes(400_000, 5);
      try (var sending = Clients.inBackground(() -> sendAndFinish(client, sent))) {
        assertReceives(accepted, sent);
        sending.join();
      }
      assertThat(reasonOf(client)).isEqualTo("done");
    }
  }

  @Test
  void reset_ofTheServer_resetsTheClient() throws IOException {
    try (Socket client = connect(bridgePort(PLAIN));
        Socket accepted = accept()) {
      client.getOutputStream().write(1);
      assertThat(accepted.getInputStream().read()).isEqualTo(1);
      reset(accepted);
      assertReset(client);
      assertThat(reasonOf(client)).isEqualTo("abort");
    }
  }

  @Test
  void reset_ofTheClient_resetsTheServer() throws IOException {
    try (Socket client = connect(bridgePort(PLAIN));
        Socket accepted = accept()) {
      client.getOutputStream().write(1);
      assertThat(accepted.getInputStream().read()).isEqualTo(1);
      reset(client);
      assertReset(accepted);
    }
  }

  /** The client may send on while it reads nothing: the directions do not wait for each other. */
  @Test
  void serverThatSendsMoreThanTheClientReads_doesNotHoldBackTheClientsBytes() throws IOException {
    byte[] upload = bytes(3_000_000, 6);
    byte[] download = bytes(30_000_000, 7);
    try (Socket client = connect(bridgePort(PLAIN));
        Socket accepted = accept();
        var serving = Clients.inBackground(() -> sendAndFinish(accepted, download));
        var sending = Clients.inBackground(() -> sendAndFinish(client, upload))) {
      assertReceives(accepted, upload);
      sending.join();
      assertThat(serving.isDone()).as("30 MB fit into buffers").isFalse();
      assertReceives(client, download);
      serving.join();
    }
  }

  @Test
  void serverThatDoesNotRead_stopsTheClient() throws IOException {
    try (Socket client = connect(bridgePort(PLAIN));
        Socket accepted = accept()) {
      byte[] sent = bytes(30_000_000, 8);
      try (var sending = Clients.inBackground(() -> sendAndFinish(client, sent))) {
        String mark = bridge.admin().markOf(address(client));
        EgressServer plain = Objects.requireNonNull(EGRESSES.get(PLAIN));
        long[] consumed = {-1, 0};
        await()
            .atMost(TIMEOUT)
            .pollInterval(Duration.ofMillis(200))
            .until(() -> {
              consumed[0] = consumed[1];
              consumed[1] =
                  plain.connections().stream()
                      .filter(one -> one.mark().equals(mark))
                      .findFirst()
                      .orElseThrow()
                      .receivedOffset();
              return consumed[1] > 0 && consumed[0] == consumed[1];
            });
        assertThat(sending.isDone()).as("30 MB were accepted").isFalse();
        assertReceives(accepted, sent);
        sending.join();
      }
    }
  }

  @Test
  void proxyHeader_namesTheClientAndItsMark() throws IOException {
    try (Socket client = connect(bridgePort(PROXIED));
        Socket accepted = accept()) {
      client.getOutputStream().write("hello".getBytes(US_ASCII));
      DataInputStream in = new DataInputStream(accepted.getInputStream());
      assertThat(in.readNBytes(12)).isEqualTo("\r\n\r\n\0\r\nQUIT\n".getBytes(US_ASCII));
      assertThat(in.readUnsignedShort()).as("PROXY, TCP over IPv4").isEqualTo(0x2111);
      byte[] body = in.readNBytes(in.readUnsignedShort());
      int sourcePort = ((body[8] & 0xff) << 8) | (body[9] & 0xff);
      assertThat(sourcePort).isEqualTo(client.getLocalPort());
      String mark = bridge.admin().markOf(address(client));
      assertThat(new String(body, 15, body.length - 15, US_ASCII)).isEqualTo(mark);
      assertThat(in.readNBytes(5)).isEqualTo("hello".getBytes(US_ASCII));
    }
  }

  @Test
  void egressThatDies_endsItsConnectionsWithUpstreamLost() throws IOException {
    try (Socket client = connect(bridgePort(MORTAL));
        Socket accepted = accept()) {
      client.getOutputStream().write("hello".getBytes(US_ASCII));
      assertThat(accepted.getInputStream().readNBytes(5)).isEqualTo("hello".getBytes(US_ASCII));
      mortal.kill();
      assertReset(accepted);
      assertThat(client.getInputStream().read()).as("FIN").isEqualTo(-1);
      client.shutdownOutput();
      assertThat(reasonOf(client)).isEqualTo("upstream_lost");
    }
  }

  @Test
  void healthOfTheEgress_followsItsServer() throws Exception {
    int port = Waymark.freePort();
    try (EgressServer egress = egress(port, false, Duration.ofMillis(100));
        Bridge watching =
            Bridge.start(
                Waymark.Launch::quick,
                "--upstream=static:///127.0.0.1:" + egress.address().getPort())) {
      assertThat(egress.awaitProbe()).isFalse();
      awaitHealth(watching, "NOT_SERVING");
      try (ServerSocket back = listen(port)) {
        awaitHealth(watching, "SERVING");
        try (Socket client = connect(watching.port())) {
          client.getOutputStream().write(1);
          await()
              .atMost(TIMEOUT)
              .until(() -> {
                // Some are probes.
                try (Socket accepted = back.accept()) {
                  return accepted.getInputStream().read() == 1;
                }
              });
        }
      }
      awaitHealth(watching, "NOT_SERVING");
    }
  }

  private static void awaitHealth(Bridge watching, String health) {
    await()
        .atMost(TIMEOUT)
        .until(() -> watching.admin().get("/upstreams").contains("\"health\": \"" + health + "\""));
  }

  // --- helpers ---

  private static ForeignServer server(Kind kind) {
    @Nullable ForeignServer running = SERVERS.get(kind);
    assumeTrue(running != null, kind + " is not installed");
    return running;
  }

  private static String port(Kind kind) {
    return Integer.toString(bridgePort(kind.label()));
  }

  private static int bridgePort(String name) {
    int index = 0;
    for (String each : EGRESSES.keySet()) {
      if (each.equals(name)) {
        return bridge.port(index);
      }
      index++;
    }
    return bridge.port(index);
  }

  private static String run(ForeignServer server, String... line) {
    return ForeignServer.run(server.folder(), line);
  }

  private static String[] with(String[] first, String... more) {
    String[] whole = Arrays.copyOf(first, first.length + more.length);
    System.arraycopy(more, 0, whole, first.length, more.length);
    return whole;
  }

  private static ServerSocket listen(int port) throws IOException {
    ServerSocket listening = new ServerSocket();
    listening.setReuseAddress(true);
    listening.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    listening.setSoTimeout(TIMEOUT_MS);
    return listening;
  }

  private static Socket connect(int port) throws IOException {
    Socket client = new Socket(InetAddress.getLoopbackAddress(), port);
    client.setSoTimeout(TIMEOUT_MS);
    return client;
  }

  private static Socket accept() throws IOException {
    Socket accepted = server.accept();
    accepted.setSoTimeout(TIMEOUT_MS);
    return accepted;
  }

  private static byte[] bytes(int count, long seed) {
    byte[] bytes = new byte[count];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private static String line(InputStream in) throws IOException {
    String text =
        IntStream.generate(() -> read(in))
            .takeWhile(next -> next != '\n' && next >= 0)
            .mapToObj(Character::toString)
            .collect(Collectors.joining());
    return text.stripTrailing();
  }

  private static int read(InputStream in) {
    try {
      return in.read();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void sendAndFinish(Socket socket, byte[] bytes) {
    try {
      socket.getOutputStream().write(bytes);
      socket.shutdownOutput();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The peer sends this and then FIN. */
  private static void assertReceives(Socket socket, byte[] expected) throws IOException {
    byte[] received = socket.getInputStream().readAllBytes();
    assertThat(Arrays.mismatch(received, expected)).as("first difference").isEqualTo(-1);
  }

  private static void reset(Socket socket) throws IOException {
    socket.setSoLinger(true, 0);
    socket.close();
  }

  private static void assertReset(Socket socket) {
    assertThatThrownBy(() -> socket.getInputStream().read())
        .isInstanceOf(SocketException.class)
        .hasMessageContaining("reset");
  }

  private static String address(Socket client) {
    return "127.0.0.1:" + client.getLocalPort();
  }

  /** Why the bridge closed the connection, from its access log. */
  private static String reasonOf(Socket client) {
    String closed =
        bridge.process().awaitLineWith(" connection-closed ", " client=" + address(client) + " ");
    return closed.replaceFirst(".* reason=(\\S+).*", "$1");
  }
}
