package dev.waymark.bridge;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.waymark.config.ConfigLoader;
import dev.waymark.config.LoadedConfig;
import dev.waymark.e2e.AdminPort;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Open;
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
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A bridge in this process, and an upstream behind it. The upstream echoes, says {@code end@N} when
 * the client's stream has ended after N bytes, and obeys the words finish, abort and silent.
 */
final class TlsBridge {
  /** The machine may be busy. */
  static final Duration TIMEOUT = Duration.ofSeconds(20);

  /** How an attachment ended at the upstream. */
  record End(String client, long offset, CloseReason reason) {}

  private final LinkedBlockingQueue<Open> opens = new LinkedBlockingQueue<>();
  private final LinkedBlockingQueue<End> ends = new LinkedBlockingQueue<>();
  private final Path file;
  private final UpstreamServer upstream;
  private final Bridge bridge;

  private TlsBridge(Path folder, String... listeners) throws Exception {
    InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    upstream =
        UpstreamServer.start(
            Upstream.builder(this::accept).build(), NettyServerBuilder.forAddress(any));
    file = folder.resolve("waymark.yml");
    configure(listeners);
    bridge = new Bridge(load(), Optional.of(this::load), new EventLog(Clock::nowNs), () -> 0);
    bridge.startAdmin();
    bridge.start(new CountDownLatch(1));
  }

  /**
   * Starts a bridge.
   *
   * @param listeners the keys of each, as a map in YAML's flow style without its braces; without an
   *     address the listener gets a free port
   */
  static TlsBridge start(Path folder, String... listeners) throws Exception {
    return new TlsBridge(folder, listeners);
  }

  private void configure(String... listeners) throws IOException {
    StringBuilder text =
        new StringBuilder("shards: 1\nadmin: {address: '127.0.0.1:0'}\nlisteners:\n");
    for (String listener : listeners) {
      String address = listener.contains("address:") ? "" : "address: '127.0.0.1:0', ";
      text.append("  - {").append(address).append(listener).append("}\n");
    }
    text.append("pools: [{name: echo, target: 'static:///127.0.0.1:")
        .append(upstream.port())
        .append("'}]\n");
    Files.writeString(file, text);
  }

  private LoadedConfig load() {
    return ConfigLoader.load(Optional.of(file), Map.of(), Map.of());
  }

  /** Reloads the bridge with other listeners. */
  void reload(String... listeners) throws IOException {
    configure(listeners);
    bridge.reload().onSignal();
  }

  private ConnectionHandler accept(UpstreamConnection connection) {
    opens.add(connection.open());
    return new ConnectionHandler() {
      private boolean isSilent;
      private boolean isFinished;

      @Override
      public void onData(ByteBuf data, long endOffset) {
        if (isFinished) {
          connection.consume(endOffset);
          return;
        }
        switch (data.readableBytes() < 10 ? data.toString(US_ASCII) : "") {
          case "finish" -> {
            isFinished = true;
            connection.consume(endOffset);
            connection.halfClose();
          }
          case "abort" -> connection.close(CloseReason.ABORT);
          case "silent" -> {
            isSilent = true;
            connection.consume(endOffset);
          }
          default -> connection.commit(data.retainedSlice(), endOffset);
        }
      }

      @Override
      public void onHalfClose() {
        if (isFinished) {
          return;
        }
        if (!isSilent) {
          connection.send(("end@" + connection.receivedOffset()).getBytes(US_ASCII));
        }
        connection.halfClose();
      }

      @Override
      public void onClose(CloseReason reason) {
        ends.add(new End(connection.open().clientAddress(), connection.receivedOffset(), reason));
      }
    };
  }

  int port(String listener) {
    return bridge.ports().stream()
        .filter(port -> port.listener().equals(listener))
        .findFirst()
        .orElseThrow()
        .address()
        .getPort();
  }

  /** What the upstream was told about this client. */
  Open openOf(TlsClient client) throws InterruptedException {
    return Stream.generate(() -> poll(opens))
        .filter(open -> open.clientAddress().equals(client.address()))
        .findFirst()
        .orElseThrow();
  }

  /** How this client's connection ended. */
  End endOf(TlsClient client) {
    return Stream.generate(() -> poll(ends))
        .filter(end -> end.client().equals(client.address()))
        .findFirst()
        .orElseThrow();
  }

  private static <T> T poll(LinkedBlockingQueue<T> queue) {
    try {
      return Objects.requireNonNull(
          queue.poll(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS), "nothing came");
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(interrupted);
    }
  }

  long metric(String name, String... labels) {
    return new AdminPort(bridge.adminAddress()).metric(name, labels);
  }

  long refused(String listener, String reason) {
    return metric(
        "waymark_connections_refused_total",
        "listener=\"" + listener + "\"",
        "reason=\"" + reason + "\"");
  }

  long open(String listener) {
    return metric("waymark_connections_open", "listener=\"" + listener + "\"");
  }

  /** Times that files were loaded or refused. */
  long fileChanges(String listener, String result) {
    return metric(
        "waymark_tls_file_changes_total",
        "listener=\"" + listener + "\"",
        "result=\"" + result + "\"");
  }

  void awaitRefused(String listener, String reason, long count) {
    await()
        .atMost(TIMEOUT)
        .untilAsserted(() ->
            assertThat(refused(listener, reason))
                .as("%s %s; %s", listener, reason, refusals(listener))
                .isEqualTo(count));
  }

  /** The refusals of a listener, for a failure's message. */
  private String refusals(String listener) {
    return new AdminPort(bridge.adminAddress())
        .get("/metrics")
        .lines()
        .filter(line -> line.startsWith("waymark_connections_refused_total"))
        .filter(line -> line.contains("\"" + listener + "\"") && !line.endsWith(" 0"))
        .toList()
        .toString();
  }

  String readyLine() {
    return new ReadyLine(bridge, bridge.inForce()).text();
  }

  void stop() throws InterruptedException {
    bridge.stop();
    upstream.close();
  }
}
