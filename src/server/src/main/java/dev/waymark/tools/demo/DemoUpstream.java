package dev.waymark.tools.demo;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * An upstream at a fixed address, whose stub process may or may not be running. Confined to one
 * thread, except for {@link #state}, {@link #poll} and {@link #requests}.
 */
final class DemoUpstream {
  enum State {
    STARTING,
    RUNNING,
    FROZEN,
    DRAINING,
    KILLED,
    ENDED;

    String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private static final Pattern READY =
      Pattern.compile("stub serves Attach on \\S+ .*, admin on (http://\\S+)");

  /** For a small heap and a quick start. */
  private static final List<String> JVM_OPTIONS =
      List.of("-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");

  /**
   * Ports below the ephemeral range: an ephemeral port could be taken by some client at a restart.
   */
  private static final int PORT_MIN = 10_000;

  private static final int PORT_MAX = 32_000;
  private static final int PORTS_TRIED_MAX = 100;

  private final Children children;
  private final AdminClient http;
  private final String address;
  private @Nullable Program program;
  private volatile String admin = "";
  private volatile State state = State.ENDED;
  private final RequestCount requests = new RequestCount();

  DemoUpstream(Children children, AdminClient http, SplittableRandom random) {
    this.children = children;
    this.http = http;
    this.address = "127.0.0.1:" + freePort(random);
  }

  private static int freePort(SplittableRandom random) {
    for (int i = 0; i < PORTS_TRIED_MAX; i++) {
      int port = random.nextInt(PORT_MIN, PORT_MAX);
      try (ServerSocket _ = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        return port;
      } catch (IOException taken) {
        // Try another port.
      }
    }
    throw new DemoException("found no free port from " + PORT_MIN + " to " + PORT_MAX);
  }

  String address() {
    return address;
  }

  State state() {
    return state;
  }

  /** The number of requests so far, as of the last poll. */
  long requests() {
    return requests.total();
  }

  /** Polls the stub's counts if it is running; otherwise keeps the previous ones. */
  void poll() {
    if (state != State.RUNNING && state != State.DRAINING) {
      return;
    }
    String polled = admin;
    try {
      requests.onStats(polled, http.get(polled + "/stats"));
    } catch (IOException gone) {
      // Keep the previous counts.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Starts the process. {@link #awaitReady} waits until it serves. */
  void start() {
    state = State.STARTING;
    List<String> command = List.of("stub", "--listen=" + address, "--admin=127.0.0.1:0");
    program = Program.start(children, READY, JVM_OPTIONS, command);
  }

  void awaitReady() throws InterruptedException {
    admin = running().awaitReady().group(1);
    requests.onStarted(admin);
    state = State.RUNNING;
  }

  /** Sends SIGKILL. */
  void kill() throws InterruptedException {
    poll();
    state = State.KILLED;
    running().kill();
  }

  /** Sends SIGSTOP. */
  void freeze() throws InterruptedException {
    state = State.FROZEN;
    running().signal("STOP");
  }

  /** Sends SIGCONT. */
  void thaw() throws InterruptedException {
    running().signal("CONT");
    state = State.RUNNING;
  }

  /** Makes the stub send Draining. */
  void drain() throws InterruptedException {
    state = State.DRAINING;
    try {
      http.post(admin + "/drain");
    } catch (IOException e) {
      throw new DemoException("cannot drain the stub at " + address + ": " + e.getMessage());
    }
  }

  /** Sends SIGTERM. */
  void stop() throws InterruptedException {
    poll();
    running().stop();
    state = State.ENDED;
  }

  private Program running() {
    if (program == null) {
      throw new IllegalStateException(address + " was never started");
    }
    return program;
  }
}
