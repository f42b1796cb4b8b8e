package dev.waymark.upstreams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The socket options of the connections that carry Watches. */
class NettyHealthChannelsIT {
  /** In a line of /proc/net/tcp: the armed timer, and when it expires in hundredths of a second. */
  private static final int TIMER_FIELD = 5;

  private static final String KEEP_ALIVE_TIMER = "02";
  private static final String ESTABLISHED = "01";

  @Test
  void silentPeer_isProbedWithinUserTimeout() throws IOException {
    try (var server = new HealthServer(ServingStatus.SERVING);
        var pool = pool(server, Duration.ofSeconds(8))) {
      pool.awaitHealths(server.address() + " SERVING +");
      // Until everything sent is acknowledged, another timer is armed.
      await()
          .untilAsserted(() ->
              assertThat(timers(server))
                  .hasSize(1)
                  .allSatisfy(timer -> {
                    assertThat(timer).startsWith(KEEP_ALIVE_TIMER + ":");
                    assertThat(Long.parseLong(timer.substring(3), 16)).isLessThanOrEqualTo(200);
                  }));
    }
  }

  private static RecordedPool pool(HealthServer server, Duration userTimeout) {
    return new RecordedPool(p -> {
      p.target = Fixtures.fixed(server.address());
      p.userTimeout = userTimeout;
    });
  }

  /** Returns the timers of the client sockets connected to this server. */
  private static List<String> timers(HealthServer server) throws IOException {
    int port = Integer.parseInt(server.address().substring(server.address().indexOf(':') + 1));
    String remote = ":%04X %s ".formatted(port, ESTABLISHED);
    try (Stream<String> v4 = Files.lines(Path.of("/proc/net/tcp"));
        Stream<String> v6 = Files.lines(Path.of("/proc/net/tcp6"))) {
      return Stream.concat(v4, v6)
          .filter(line -> line.contains(remote))
          .map(line -> line.trim().split("\\s+")[TIMER_FIELD])
          .toList();
    }
  }
}
