package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A bridge in its own process. It listens on ephemeral ports unless told otherwise. */
final class Bridge implements AutoCloseable {
  private static final Pattern PAIR = Pattern.compile("([a-z-]+)=(\\S+)");

  private final Waymark process;
  private final List<Integer> ports;
  private final AdminPort admin;

  private Bridge(Waymark process) {
    this.process = process;
    MatchResult ready = awaitReady(process);
    this.ports = Stream.of(ready.group(1).split(", ", -1)).map(Bridge::portOf).toList();
    this.admin = new AdminPort(ready.group(2));
  }

  /** Starts a bridge with one listener in front of these stubs. */
  static Bridge inFrontOf(List<Stub> stubs, String... flags) {
    return start(Waymark.Launch::quick, flagsOf(stubs, flags));
  }

  static Bridge inFrontOf(Stub stub, String... flags) {
    return inFrontOf(List.of(stub), flags);
  }

  /** Starts a bridge with one listener and these flags. */
  static Bridge start(UnaryOperator<Waymark.Launch> setUp, String... flags) {
    return run(setUp, "--listen=127.0.0.1:0", flags);
  }

  /** Starts a bridge with the listeners of a file. */
  static Bridge configured(Path file, String... flags) {
    return run(Waymark.Launch::quick, "--config=" + file, flags);
  }

  /** Starts a bridge with the listeners of a file and a customized launch. */
  static Bridge configured(UnaryOperator<Waymark.Launch> setUp, Path file, String... flags) {
    return run(setUp, "--config=" + file, flags);
  }

  static String[] flagsOf(List<Stub> stubs, String... flags) {
    String addresses = String.join(",", stubs.stream().map(Stub::address).toList());
    return Stream.concat(Stream.of("--upstream=static:///" + addresses), Stream.of(flags))
        .toArray(String[]::new);
  }

  private static Bridge run(UnaryOperator<Waymark.Launch> setUp, String first, String... flags) {
    String[] line =
        Stream.concat(Stream.of("bridge", "--admin=127.0.0.1:0", first), Stream.of(flags))
            .toArray(String[]::new);
    return new Bridge(setUp.apply(Waymark.command(line)).start());
  }

  private static MatchResult awaitReady(Waymark process) {
    try {
      return process.awaitLine(Waymark.BRIDGE_READY);
    } catch (AssertionError failed) {
      process.close();
      throw failed;
    }
  }

  Waymark process() {
    return process;
  }

  AdminPort admin() {
    return admin;
  }

  int port() {
    return ports.getFirst();
  }

  /** Returns the port of the listener with this index in the configuration. */
  int port(int listener) {
    return ports.get(listener);
  }

  Client connect() {
    return Client.connect(port());
  }

  /** Waits for the access-log line of a client and returns its keys and values. */
  Map<String, String> awaitClosed(Client client) {
    String line = process.awaitLineWith(" connection-closed ", " client=" + client.address() + " ");
    Map<String, String> values = new HashMap<>();
    PAIR.matcher(line).results().forEach(pair -> values.put(pair.group(1), pair.group(2)));
    return values;
  }

  /** Returns the access-log lines of all connections that have ended so far. */
  List<String> closed() {
    return process.describe().lines().filter(line -> line.contains(" connection-closed ")).toList();
  }

  void assertClosed(Client client, String reason) {
    assertThat(awaitClosed(client)).containsEntry("reason", reason);
  }

  /**
   * Makes the bridge, which must still be serving, report leaked buffers. {@link #close()} fails if
   * there are any.
   */
  void lookForLeaks() {
    for (int i = 0; i < 2; i++) {
      process.collectGarbage();
      Client client = connect();
      client.send(1_000).reset();
      awaitClosed(client);
    }
  }

  @Override
  public void close() {
    process.close();
  }

  private static int portOf(String address) {
    return Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
  }
}
