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
 * A place where a stub runs, or does not. For one thread, but for {@link #state}, {@link #look} and
 * {@link #requests}.
 */
final class DemoUpstream {
  enum State {
    STARTING,
    WELL,
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

  /** Small and quick to start. */
  private static final List<String> JVM_OPTIONS =
      List.of("-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");

  /**
   * Below the ports that the system gives to clients, one of which could sit there at a restart.
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
        // The next one.
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

  /** Those it has had, as it said last. */
  long requests() {
    return requests.total();
  }

  /** Asks it, if it can be asked; else what it said last stays. */
  void look() {
    if (state != State.WELL && state != State.DRAINING) {
      return;
    }
    String asked = admin;
    try {
      requests.onStats(asked, http.get(asked + "/stats"));
    } catch (IOException gone) {
      // What was known stays.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Starts its process; {@link #awaitReady} waits until it serves. */
  void start() {
    state = State.STARTING;
    List<String> command = List.of("stub", "--listen=" + address, "--admin=127.0.0.1:0");
    program = Program.start(children, READY, JVM_OPTIONS, command);
  }

  void awaitReady() throws InterruptedException {
    admin = running().awaitReady().group(1);
    requests.onStarted(admin);
    state = State.WELL;
  }

  /** SIGKILL. */
  void kill() throws InterruptedException {
    look();
    state = State.KILLED;
    running().kill();
  }

  /** SIGSTOP. */
  void freeze() throws InterruptedException {
    state = State.FROZEN;
    running().signal("STOP");
  }

  /** SIGCONT. */
  void thaw() throws InterruptedException {
    running().signal("CONT");
    state = State.WELL;
  }

  /** Announces Draining. */
  void drain() throws InterruptedException {
    state = State.DRAINING;
    try {
      http.post(admin + "/drain");
    } catch (IOException e) {
      throw new DemoException("the stub at " + address + " did not drain: " + e.getMessage());
    }
  }

  /** SIGTERM. */
  void stop() throws InterruptedException {
    look();
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
