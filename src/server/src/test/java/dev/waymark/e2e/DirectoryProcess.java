package dev.waymark.e2e;

import java.util.Objects;
import java.util.regex.MatchResult;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A directory in its own process. */
final class DirectoryProcess implements AutoCloseable {
  private static final String READY =
      "directory serves on (\\S+?)(?:, DNS on (\\S+))?, admin on http://(\\S+)";

  private final Waymark process;
  private final String address;
  private final @Nullable String dns;
  private final AdminPort admin;

  private DirectoryProcess(Waymark process) {
    this.process = process;
    MatchResult ready = process.awaitLine(READY);
    address = ready.group(1);
    dns = ready.group(2);
    admin = new AdminPort(ready.group(3));
  }

  /** Starts one on an ephemeral port, without DNS unless the flags say where. */
  static DirectoryProcess start(String... flags) {
    return at("127.0.0.1:0", flags);
  }

  static DirectoryProcess at(String address, String... flags) {
    Stream<String> ports = Stream.of("directory", "--admin=127.0.0.1:0", "--listen=" + address);
    boolean hasDns = Stream.of(flags).anyMatch(each -> each.startsWith("--dns="));
    Stream<String> more =
        Stream.concat(Stream.of(flags), Stream.of("--dns=off").skip(hasDns ? 1 : 0));
    String[] line = Stream.concat(ports, more).toArray(String[]::new);
    return new DirectoryProcess(Waymark.command(line).quick().start());
  }

  String address() {
    return address;
  }

  /** Where it serves DNS. */
  String dns() {
    return Objects.requireNonNull(dns, "it was started with --dns");
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
