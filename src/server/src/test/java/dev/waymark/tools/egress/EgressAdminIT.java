package dev.waymark.tools.egress;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.waymark.config.ClientTlsConfig;
import dev.waymark.config.HostPort;
import dev.waymark.config.TlsKeys.Engine;
import dev.waymark.config.TlsKeys.KeyPermissions;
import dev.waymark.config.TlsKeys.MissingCloseNotify;
import dev.waymark.telemetry.EventLog;
import dev.waymark.telemetry.Metrics;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What the admin port of an egress says about the server. */
final class EgressAdminIT {
  private static final Duration TIMEOUT = Duration.ofSeconds(20);
  private static final InetSocketAddress ANY =
      new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

  @Test
  void readyz_whileTheServerCannotBeReached_saysWhyAtPresent() throws Exception {
    int port = freePort();
    try (HttpClient client = HttpClient.newHttpClient();
        EgressServer egress = egressTo(port);
        EgressAdmin admin =
            new EgressAdmin(ANY, egress, new Metrics(), new EventLog(System::nanoTime))) {
      admin.start();
      assertThat(egress.awaitProbe()).isFalse();
      HttpResponse<String> refused = readyz(client, admin);
      assertThat(refused.statusCode()).isEqualTo(503);
      assertThat(refused.body())
          .containsIgnoringCase("the server cannot be reached: connection refused");
      try (ServerSocket plain = new ServerSocket(port, 50, InetAddress.getLoopbackAddress())) {
        Thread.startVirtualThread(() -> greet(plain));
        await()
            .atMost(TIMEOUT)
            .untilAsserted(() ->
                assertThat(readyz(client, admin).body())
                    .contains("the server cannot be reached: TLS", "does not speak TLS"));
      }
    }
  }

  private static void greet(ServerSocket plain) {
    try {
      while (!plain.isClosed()) {
        try (Socket accepted = plain.accept()) {
          accepted.getOutputStream().write("220 hello, this is not TLS\r\n".getBytes(US_ASCII));
          accepted.getInputStream().readAllBytes();
        }
      }
    } catch (IOException closed) {
      // The test is over.
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return free.getLocalPort();
    }
  }

  private static EgressServer egressTo(int port) throws Exception {
    return EgressServer.start(
        ANY,
        new EgressOptions(
            new HostPort("127.0.0.1", port),
            Duration.ofSeconds(5),
            Duration.ofMillis(50),
            false,
            Optional.of(
                new ClientTlsConfig(
                    "server",
                    Optional.empty(),
                    Optional.empty(),
                    KeyPermissions.STRICT,
                    Engine.JDK,
                    Optional.empty(),
                    Optional.empty(),
                    List.of())),
            MissingCloseNotify.LOST,
            null,
            10),
        new EventLog(System::nanoTime));
  }

  private static HttpResponse<String> readyz(HttpClient client, EgressAdmin admin)
      throws IOException, InterruptedException {
    URI uri = URI.create("http://127.0.0.1:" + admin.address().getPort() + "/readyz");
    return client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
  }
}
