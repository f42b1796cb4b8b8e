package dev.waymark.e2e.chaos;

import dev.waymark.e2e.AdminPort;
import dev.waymark.e2e.Waymark;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** An address at which a stub may run. Used by one thread at a time. */
final class ChaosUpstream implements AutoCloseable {

  private static final Pattern CLIENT_PORT = Pattern.compile("\"client\": *\"[^\"]*:(\\d+)\"");

  private final String address;
  private final List<String> flags;
  private volatile @Nullable Waymark process;
  private volatile @Nullable AdminPort admin;

  ChaosUpstream(String address, List<String> flags) {
    this.address = address;
    this.flags = flags;
  }

  String address() {
    return address;
  }

  /** Returns the address without its port. */
  String host() {
    return address.substring(0, address.lastIndexOf(':'));
  }

  boolean isRunning() {
    return process != null;
  }

  void start() {
    start(flags);
  }

  /** Starts the stub with these flags instead of its own, this time only. */
  void start(List<String> flags) {
    String[] line =
        Stream.concat(
                Stream.of("stub", "--admin=127.0.0.1:0", "--listen=" + address), flags.stream())
            .toArray(String[]::new);
    Waymark next = Waymark.command(line).sustained().leakDetection("simple").start();
    process = next;
    MatchResult ready = next.awaitLine(Waymark.STUB_READY);
    admin = new AdminPort(ready.group(2));
  }

  /** Sends SIGKILL. Returns when the process is gone. */
  void kill() {
    ProcessHandle.of(running().pid()).ifPresent(ProcessHandle::destroyForcibly);
    running().exitCode();
    afterEnd();
  }

  /** Sends SIGTERM. Returns when the process is gone. */
  void stop() {
    running().stop();
    afterEnd();
  }

  void freeze() {
    running().signal("STOP");
  }

  void thaw() {
    running().signal("CONT");
  }

  /** Announces Draining. */
  void drain() {
    admin().post("/drain");
  }

  void serve(boolean isServing) {
    admin().post("/health?status=" + (isServing ? "SERVING" : "NOT_SERVING"));
  }

  /**
   * Refuses new connections.
   *
   * @param code as the stub names it; {@code none} accepts connections again
   */
  void refuse(String code) {
    admin().post("/refuse?code=" + code);
  }

  /** Returns the local ports of the clients whose connections the stub owns. */
  Set<Integer> clientPorts() {
    return CLIENT_PORT
        .matcher(admin().get("/connections"))
        .results()
        .map(match -> Integer.valueOf(match.group(1)))
        .collect(Collectors.toSet());
  }

  long pid() {
    return running().pid();
  }

  int connections() {
    return admin().marks().size();
  }

  @Override
  public void close() {
    Waymark last = process;
    if (last != null) {
      last.close();
    }
  }

  private void afterEnd() {
    // Checks for leaks.
    running().close();
    process = null;
    admin = null;
  }

  private Waymark running() {
    Waymark now = process;
    if (now == null) {
      throw new IllegalStateException(address + " does not run");
    }
    return now;
  }

  private AdminPort admin() {
    AdminPort now = admin;
    if (now == null) {
      throw new IllegalStateException(address + " does not run");
    }
    return now;
  }
}
