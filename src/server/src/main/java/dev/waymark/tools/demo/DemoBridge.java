package dev.waymark.tools.demo;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The bridge, a separate process on ports of its choice. Thread-safe. */
final class DemoBridge {
  /** The settings that differ from a bridge's defaults and affect pauses. */
  static final String SETTINGS =
      "ping-interval 500 ms and lane-timeout 2 s (2 s and 6 s by default)";

  private static final Pattern READY =
      Pattern.compile("listening on (\\S+):(\\d+), with .*, admin on (http://\\S+?);");
  private static final List<String> JVM_OPTIONS = List.of("-Xmx256m");
  private static final String CONFIG =
      """
      listeners:
        - {name: demo, address: "127.0.0.1:0", framing: line, pool: demo}
      pools:
        - {name: demo, target: "static:///%s", policy: least-connections, health-retry-max: 500ms}
      admin: {address: "127.0.0.1:0"}
      log: {level: warn, access: false}
      lanes: {ping-interval: 500ms, lane-timeout: 2s, retry-max: 500ms}
      """;

  private final AdminClient http;
  private final InetSocketAddress address;
  private final String admin;
  private final Program program;

  private DemoBridge(AdminClient http, Program program, Matcher ready) {
    this.http = http;
    this.program = program;
    this.address = new InetSocketAddress(ready.group(1), Integer.parseInt(ready.group(2)));
    this.admin = ready.group(3);
  }

  /** Starts a bridge in front of upstreams with these addresses. Returns when it is listening. */
  static DemoBridge start(Children children, AdminClient http, List<String> upstreams)
      throws InterruptedException {
    try {
      Path file = Files.createTempFile("waymark-demo", ".yml");
      try {
        Files.writeString(file, String.format(Locale.ROOT, CONFIG, String.join(",", upstreams)));
        List<String> command = List.of("bridge", "--config=" + file);
        Program program = Program.start(children, READY, JVM_OPTIONS, command);
        return new DemoBridge(http, program, program.awaitReady());
      } finally {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new DemoException("cannot write the bridge's configuration: " + e.getMessage());
    }
  }

  /** The address that clients connect to. */
  InetSocketAddress address() {
    return address;
  }

  /** The URL of the admin port. */
  String admin() {
    return admin;
  }

  Scrape scrape() throws IOException, InterruptedException {
    return Scrape.of(http.get(admin + "/metrics"));
  }

  void stop() throws InterruptedException {
    program.stop();
  }
}
