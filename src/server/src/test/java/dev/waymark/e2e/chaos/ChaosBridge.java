package dev.waymark.e2e.chaos;

import dev.waymark.e2e.AdminPort;
import dev.waymark.e2e.Waymark;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.regex.MatchResult;
import java.util.stream.Stream;

/** A bridge with a raw and a framed listener and one pool. */
final class ChaosBridge implements AutoCloseable {

  private static final List<String> CAUSES =
      List.of("lane_broken", "refused", "stalled", "draining", "rebalance");

  /**
   * The lane timeout is shorter than many freezes, the progress timeout shorter than a hang. The
   * user timeout is long, because with TCP_USER_TIMEOUT the kernel takes a slow reader, whose
   * window is almost closed, for a dead one.
   */
  private static final String CONFIG =
      """
      listeners:
        - {name: raw, address: "127.0.0.1:0", pool: chaos, user-timeout: 10m}
        - name: framed
          address: "127.0.0.1:0"
          pool: chaos
          user-timeout: 10m
          framing: {type: length-prefixed, length-bytes: 4}
          frame-max: 200KiB
      pools:
        - name: chaos
          target: "%s"
          health-retry-max: 500ms
          dns-ttl-min: 500ms
          progress-timeout: 4s
      admin: {address: "127.0.0.1:0"}
      lanes: {ping-interval: 500ms, lane-timeout: 2s, retry-max: 500ms}
      %s
      """;

  private final Path file;
  private final Waymark process;
  private final List<Integer> ports;
  private final AdminPort admin;

  private ChaosBridge(Path file, Waymark process) {
    this.file = file;
    this.process = process;
    MatchResult ready = process.awaitLine(Waymark.BRIDGE_READY);
    this.ports = Stream.of(ready.group(1).split(", ", -1)).map(ChaosBridge::portOf).toList();
    this.admin = new AdminPort(ready.group(2));
  }

  /**
   * @param more additional lines of configuration
   */
  static ChaosBridge start(String target, String more, UnaryOperator<Waymark.Launch> setUp) {
    try {
      Path file = Files.createTempFile("waymark-chaos", ".yml");
      Files.writeString(file, CONFIG.formatted(target, more));
      return new ChaosBridge(
          file, setUp.apply(Waymark.command("bridge", "--config=" + file).sustained()).start());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Returns the port of the raw listener. */
  int rawPort() {
    return ports.getFirst();
  }

  int framedPort() {
    return ports.getLast();
  }

  /** Describes, for people, the connection from this local port of a client. */
  String connectionFrom(int clientPort) {
    return Stream.of(
            admin
                .get("/connections?limit=10000")
                .replaceAll("\\s+", " ")
                .split("(?=\\{ *\"mark\")"))
        .filter(each -> each.contains(":" + clientPort + "\""))
        .findFirst()
        .orElse("port " + clientPort + ": the bridge has no such connection");
  }

  AdminPort admin() {
    return admin;
  }

  Waymark process() {
    return process;
  }

  /** Returns how often a connection was moved to another upstream, by cause. */
  Map<String, Long> moves() {
    Map<String, Long> moves = new TreeMap<>();
    for (String cause : CAUSES) {
      moves.put(cause, admin.metric("waymark_connections_moved_total", "cause=\"" + cause + "\""));
    }
    return moves;
  }

  @Override
  public void close() {
    process.close();
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int portOf(String address) {
    return Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
  }
}
