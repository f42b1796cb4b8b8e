package dev.waymark.upstreams;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.waymark.net.dial.UpstreamProblem.Kind;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is reported about addresses that are not upstreams, in one pool with one that serves. */
class BadUpstreamsIT {
  private static final String CLOSE = "";
  private static final String SILENCE = "...";

  @TempDir private Path folder;
  private final Map<Kind, ServerSocket> listening = new EnumMap<>(Kind.class);

  private final List<Socket> clients = new CopyOnWriteArrayList<>();

  @SuppressWarnings("NullAway.Init")
  private HealthServer good;

  @BeforeEach
  void start() throws IOException {
    good = new HealthServer(ServingStatus.SERVING);
    listen(Kind.LOOKS_LIKE_TLS, "\25\3\3\0\2\2\106");
    listen(Kind.LOOKS_LIKE_HTTP1, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    listen(Kind.LOOKS_LIKE_SSH, "SSH-2.0-OpenSSH_9.2\r\n");
    listen(Kind.NOT_HTTP2, "220 ready\r\n");
    listen(Kind.CLOSES_AT_ONCE, CLOSE);
    listen(Kind.SILENT, SILENCE);
  }

  @AfterEach
  void stop() throws IOException {
    good.close();
    for (ServerSocket each : listening.values()) {
      each.close();
    }
    for (Socket each : clients) {
      each.close();
    }
  }

  private void listen(Kind kind, String says) throws IOException {
    ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    listening.put(kind, server);
    Thread.ofVirtual().start(() -> serve(server, says));
  }

  /** Reads the request, so that the kernel does not reset the connection. */
  private void serve(ServerSocket server, String says) {
    byte[] ignored = new byte[1_000];
    try {
      while (true) {
        Socket client = server.accept();
        clients.add(client);
        var _ = client.getInputStream().read(ignored);
        if (!says.equals(SILENCE)) {
          client.getOutputStream().write(says.getBytes(ISO_8859_1));
          client.shutdownOutput();
        }
      }
    } catch (IOException ended) {
      // The test is over.
    }
  }

  private String address(Kind kind) {
    return "127.0.0.1:" + Objects.requireNonNull(listening.get(kind)).getLocalPort();
  }

  @Test
  void badUpstreams_areReportedAtOnceAndOnlyOnce_andDoNotDisturbOthers() throws IOException {
    int unusedPort;
    try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      unusedPort = probe.getLocalPort();
    }
    String noSocket = "unix:" + folder.resolve("none.sock");
    Path file = Files.createFile(folder.resolve("file"));
    String[] upstreams = {
      "127.0.0.1:" + unusedPort,
      noSocket,
      "unix:" + file,
      "[fe80::1%no-such0]:4770",
      "a..b:4770",
      "a:b:4770",
      address(Kind.LOOKS_LIKE_TLS),
      address(Kind.LOOKS_LIKE_HTTP1),
      address(Kind.LOOKS_LIKE_SSH),
      address(Kind.NOT_HTTP2),
      address(Kind.CLOSES_AT_ONCE),
      address(Kind.SILENT),
      good.address()
    };
    try (var pool =
        new RecordedPool(p -> {
          p.target = Fixtures.fixed(upstreams);
          p.healthRetryMax = Duration.ofMillis(100);
        })) {
      await()
          .atMost(Duration.ofSeconds(10))
          .until(() -> pool.problems.size() >= upstreams.length - 1);
      assertThat(pool.healths()).contains(good.address() + " SERVING +");
      assertThat(pool.problems)
          .contains(
              "127.0.0.1:"
                  + unusedPort
                  + " connection_refused: connection refused: nothing is listening there",
              noSocket + " no_socket: there is no Unix socket at this path",
              "[fe80::1%no-such0]:4770 no_route: no route: there is no network interface 'no-such0' on"
                  + " this host",
              address(Kind.LOOKS_LIKE_TLS)
                  + " looks_like_tls: answers, but not HTTP/2: looks like TLS; the bridge dials in"
                  + " plain text (a TLS alert)",
              address(Kind.LOOKS_LIKE_HTTP1)
                  + " looks_like_http1: answers, but not HTTP/2: looks like HTTP/1.1 (HTTP/1.1 400 Bad"
                  + " Request)",
              address(Kind.LOOKS_LIKE_SSH)
                  + " looks_like_ssh: answers, but not HTTP/2: looks like SSH (SSH-2.0-OpenSSH_9.2)",
              address(Kind.NOT_HTTP2)
                  + " not_http2: answers, but not HTTP/2: it begins with '220 ready'",
              address(Kind.CLOSES_AT_ONCE)
                  + " closes_at_once: accepts the connection and closes it without sending a byte",
              address(Kind.SILENT)
                  + " silent: accepts the connection, but sends nothing, not even HTTP/2 settings")
          .anyMatch(problem -> problem.startsWith("unix:" + file + " connection_refused: "))
          .anyMatch(problem -> problem.startsWith("a..b:4770 "))
          .anyMatch(problem ->
              problem.startsWith("a:b:4770 connect_failed: 'a:b:4770' is not the address"))
          .doesNotHaveDuplicates()
          .as("one report for each")
          .hasSize(upstreams.length - 1);
      assertThat(pool.manager.problem(address(Kind.LOOKS_LIKE_TLS)))
          .hasValueSatisfying(p -> assertThat(p.kind()).isEqualTo(Kind.LOOKS_LIKE_TLS));
      assertThat(pool.manager.problem(good.address())).isEmpty();
    }
  }
}
