package dev.waymark.e2e.chaos;

import dev.waymark.e2e.Waymark;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/**
 * Measures how long clients wait when their upstream is killed: from SIGKILL to each connection's
 * first reply. The victim is frozen just before, so that each of its connections has a request in
 * flight; other clients keep sending. A standalone program: misc/chaos/pause.sh.
 */
@CommandLine.Command(name = "pause", mixinStandardHelpOptions = true)
public final class Pause implements Callable<Integer> {
  private static final long FREEZE_MS = 300;
  private static final int LATE_PRINTED_MAX = 4;
  private static final long WARM_UP_S = 5;
  private static final long REPLY_TIMEOUT_S = 30;

  private final PrintStream out;

  @Option(names = "--connections", defaultValue = "1000", description = "default: ${DEFAULT-VALUE}")
  int connections = 1_000;

  @Option(names = "--upstreams", defaultValue = "3", description = "default: ${DEFAULT-VALUE}")
  int upstreams = 3;

  @Option(
      names = "--rounds",
      defaultValue = "6",
      description = "number of kills; default: ${DEFAULT-VALUE}")
  int rounds = 6;

  @Option(
      names = "--rate",
      defaultValue = "1000",
      description = "requests a second in total; default: ${DEFAULT-VALUE}")
  int rate = 1_000;

  @Option(
      names = "--config",
      split = ";",
      description = "additional lines of the bridge's configuration")
  List<String> config = List.of();

  Pause(PrintStream out) {
    this.out = out;
  }

  public static void main(String[] args) {
    System.exit(new CommandLine(new Pause(System.out)).execute(args));
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    List<ChaosUpstream> all = new ArrayList<>();
    try {
      for (int i = 1; i <= upstreams; i++) {
        all.add(new ChaosUpstream("127.0.0." + i + ":" + Waymark.freePort(), List.of()));
        all.getLast().start();
      }
      String target =
          "static:///" + all.stream().map(ChaosUpstream::address).collect(Collectors.joining(","));
      try (ChaosBridge bridge =
              ChaosBridge.start(
                  target,
                  "log: {access: false}\n" + String.join("\n", config),
                  launch -> launch.leakDetection("disabled"));
          PacedClients clients = new PacedClients(connections, bridge.rawPort())) {
        return rounds(all, bridge, clients);
      }
    } finally {
      all.forEach(ChaosUpstream::close);
    }
  }

  private int rounds(List<ChaosUpstream> all, ChaosBridge bridge, PacedClients clients)
      throws IOException, InterruptedException {
    out.printf(
        "%d connections, %d upstreams, %d requests/s; from SIGKILL to the first reply on each of the killed upstream's connections:%n",
        connections, upstreams, rate);
    clients.load(rate, inSeconds(WARM_UP_S));
    for (int round = 0; round < rounds; round++) {
      ChaosUpstream victim = all.get(round % all.size());
      Set<Integer> ports = victim.clientPorts();
      victim.freeze();
      clients.ask(ports);
      clients.load(rate, System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(FREEZE_MS));
      long fromNs = System.nanoTime();
      Thread killer = Thread.ofPlatform().start(victim::kill);
      Latencies pauses =
          clients.awaitReplies(
              fromNs,
              rate,
              inSeconds(REPLY_TIMEOUT_S),
              () ->
                  clients.waiting(LATE_PRINTED_MAX).forEach(port -> printLate(bridge, all, port)));
      out.printf("kill %d: %d connections, %s%n", round + 1, pauses.count(), pauses.text());
      killer.join();
      victim.start();
      awaitServing(bridge, clients);
      clients.load(rate, inSeconds(1));
    }
    out.printf(
        "all other requests: %d, %s%n", clients.ordinary().count(), clients.ordinary().text());
    return 0;
  }

  private void printLate(ChaosBridge bridge, List<ChaosUpstream> all, int port) {
    out.printf("late: %s%n", bridge.connectionFrom(port));
    all.stream()
        .filter(upstream -> upstream.isRunning() && upstream.clientPorts().contains(port))
        .forEach(upstream -> out.printf("      owned by %s%n", upstream.address()));
  }

  private void awaitServing(ChaosBridge bridge, PacedClients clients)
      throws IOException, InterruptedException {
    CountDownLatch clock = new CountDownLatch(1);
    long endNs = inSeconds(REPLY_TIMEOUT_S);
    while (bridge.admin().metric("waymark_pool_upstreams_serving") < upstreams
        || bridge.admin().metric("waymark_lanes_open") < upstreams) {
      if (endNs - System.nanoTime() <= 0) {
        throw new IOException("a restarted upstream is not SERVING");
      }
      clients.load(rate, System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(100));
      clock.await(1, TimeUnit.MILLISECONDS);
    }
  }

  private static long inSeconds(long seconds) {
    return System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
  }
}
