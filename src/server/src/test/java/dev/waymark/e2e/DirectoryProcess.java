package dev.waymark.e2e;

import java.util.regex.MatchResult;
import java.util.stream.Stream;

/** A directory in its own process. */
final class DirectoryProcess implements AutoCloseable {
  private static final String READY =
      "directory serves on (\\S+?)(?:, DNS on \\S+)?, admin on http://(\\S+)";

  private final Waymark process;
  private final String address;
  private final AdminPort admin;

  private DirectoryProcess(Waymark process) {
    this.process = process;
    MatchResult ready = process.awaitLine(READY);
    address = ready.group(1);
    admin = new AdminPort(ready.group(2));
  }

  /** Starts one on an ephemeral port, without DNS. */
  static DirectoryProcess start(String... flags) {
    return at("127.0.0.1:0", flags);
  }

  static DirectoryProcess at(String address, String... flags) {
    String[] line =
        Stream.concat(
                Stream.of("directory", "--admin=127.0.0.1:0", "--dns=off", "--listen=" + address),
                Stream.of(flags))
            .toArray(String[]::new);
    return new DirectoryProcess(Waymark.command(line).quick().start());
  }

  String address() {
    return address;
  }

  /** The target of a pool that follows this service. */
  String target(String service) {
    return "directory://" + address + "/" + service;
  }

  AdminPort admin() {
    return admin;
  }

  Waymark process() {
    return process;
  }

  @Override
  public void close() {
    process.close();
  }
}
