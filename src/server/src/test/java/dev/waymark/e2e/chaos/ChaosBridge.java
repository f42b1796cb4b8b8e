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

/** A bridge with a raw and a framed listener before one pool. */
final class ChaosBridge implements AutoCloseable {
  private static final String READY =
      "waymark bridge: listening on (.*), with .*, admin on http://(\\S+?);";

  private static final List<String> CAUSES =
      List.of("lane_broken", "refused", "stalled", "draining", "rebalance");

  /**
   * The lane's clock is set to less than many a freeze lasts, a handler's to less than one hangs.
   * The kernel takes a reader that is slow for one that is gone (TCP_USER_TIMEOUT with a window
   * that is all but closed), so that it has more time here.
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
    MatchResult ready = process.awaitLine(READY);
    this.ports = Stream.of(ready.group(1).split(", ", -1)).map(ChaosBridge::portOf).toList();
    this.admin = new AdminPort(ready.group(2));
  }

  /**
   * @param more lines of the configuration
   */
  static ChaosBridge start(String target, String more, UnaryOperator<Waymark.Launch> setUp) {
    try {
      Path file = Files.createTempFile("waymark-chaos", ".yml");
      Files.writeString(file, CONFIG.formatted(target, more));
      return new ChaosBridge(
          file, setUp.apply(Waymark.command("bridge", "--config=" + file)).start());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Of the raw listener. */
  int rawPort() {
    return ports.getFirst();
  }

  int framedPort() {
    return ports.getLast();
  }

  /** What it says of the connection from this local port of the client. */
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

  /** How often a connection was given to another upstream, by cause. */
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
