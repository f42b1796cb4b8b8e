package dev.waymark.e2e.chaos;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/**
 * Runs checked clients through a bridge while faults hit its upstreams in a seeded order. Exits
 * with 1 if a client saw anything but its replies. A standalone program: misc/chaos/run.sh.
 */
@CommandLine.Command(name = "chaos", mixinStandardHelpOptions = true)
public final class Chaos implements Callable<Integer> {
  private static final Duration END_TIMEOUT = Duration.ofSeconds(60);
  private static final long TICK_MS = 50;

  /** Matches no message, but a stub with a rule answers only whole messages. */
  private static final String RULES = "- {equals: \"none is this\", reply: \"never\"}\n";

  /** About one in fifty of the clients' messages contains one of these. */
  private static final String HANG_RULES =
      """
      - {contains: "ab", hang: true}
      - {contains: "KL", hang: true}
      - {contains: "78", hang: true}
      """;

  private final PrintStream out;

  @Option(names = "--seconds", defaultValue = "60", description = "default: ${DEFAULT-VALUE}")
  int seconds = 60;

  @Option(names = "--seed", description = "seed of sizes and faults; default: from the clock")
  long seed = System.nanoTime() % 1_000_000;

  @Option(names = "--clients", defaultValue = "100", description = "default: ${DEFAULT-VALUE}")
  int clients = 100;

  @Option(names = "--upstreams", defaultValue = "4", description = "default: ${DEFAULT-VALUE}")
  int upstreams = 4;

  @Option(
      names = "--faults",
      split = ",",
      paramLabel = "KIND",
      description = "kinds of faults: ${COMPLETION-CANDIDATES}; default: all")
  List<Fault.Kind> kinds = List.of(Fault.Kind.values());

  @Option(
      names = "--leak-detection",
      defaultValue = "simple",
      description = "level of Netty's leak detection in the bridge")
  String leakDetection = "simple";

  @Option(
      names = "--payload-bytes",
      description = "payload of every request; default: 1 to 200,000")
  int payloadBytes;

  @Option(
      names = "--under-way",
      description = "most requests in flight on a connection; default: by habit")
  int inFlightMax = Integer.MAX_VALUE;

  @Option(
      names = "--slow-ms",
      defaultValue = "3000",
      description = "reports replies that took longer; default: ${DEFAULT-VALUE}")
  int slowMs = 3_000;

  @Option(
      names = "--access-log",
      description = "after errors, prints how connections ended that did not end as done")
  boolean isAccessLogged;

  /** The outcome of a run. */
  record Result(Tally tally, Map<String, Long> moves, long replayedBytes) {}

  Chaos(PrintStream out) {
    this.out = out;
  }

  public static void main(String[] args) {
    System.exit(
        new CommandLine(new Chaos(System.out))
            .setCaseInsensitiveEnumValuesAllowed(true)
            .execute(args));
  }

  @Override
  public Integer call() throws InterruptedException {
    return run().tally().errorCount() == 0 ? 0 : 1;
  }

  Result run() throws InterruptedException {
    out.printf(
        "seed %d: %d clients, %d upstreams, %s for %d s%n",
        seed, clients, upstreams, kinds, seconds);
    Tally tally = new Tally(TimeUnit.MILLISECONDS.toNanos(slowMs), this::print);
    try (Fleet fleet =
            new Fleet(
                upstreams,
                List.of("--rules=" + rules(RULES)),
                List.of("--rules=" + rules(HANG_RULES)),
                this::print);
        ChaosBridge bridge =
            ChaosBridge.start(
                fleet.target(),
                "log: {access: " + isAccessLogged + "}",
                launch -> launch.leakDetection(leakDetection))) {
      CountDownLatch over = new CountDownLatch(1);
      List<Thread> threads = startClients(bridge, tally, over);
      strikeUntilTheEnd(fleet, tally);
      over.countDown();
      awaitEnd(threads, tally);
      Result result = settled(bridge, tally);
      summary(fleet, result);
      if (tally.errorCount() > 0) {
        bridge
            .process()
            .describe()
            .lines()
            .filter(line -> !line.contains("reason=done"))
            .forEach(out::println);
        bridge
            .admin()
            .get("/metrics")
            .lines()
            .filter(line -> line.startsWith("waymark_connections_closed_total"))
            .filter(line -> !line.endsWith(" 0") && !line.endsWith(" 0.0"))
            .forEach(out::println);
      }
      return result;
    }
  }

  private List<Thread> startClients(ChaosBridge bridge, Tally tally, CountDownLatch over) {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < clients; i++) {
      int port = i / 10 % 2 == 0 ? bridge.framedPort() : bridge.rawPort();
      threads.add(
          Thread.ofVirtual()
              .name("client-" + i)
              .start(new CheckedClient(i, port, seed, payloadBytes, inFlightMax, tally, over)));
    }
    return threads;
  }

  private void strikeUntilTheEnd(Fleet fleet, Tally tally) throws InterruptedException {
    SplittableRandom random = new SplittableRandom(seed);
    CountDownLatch clock = new CountDownLatch(1);
    long startNs = System.nanoTime();
    long endNs = startNs + TimeUnit.SECONDS.toNanos(seconds);
    long nextNs = startNs + TimeUnit.SECONDS.toNanos(2);
    long errors = 0;
    // Starts with the first kind, by default a kill, so that a short run has one too.
    Fault next = Fault.of(kinds.getFirst(), random);
    for (long nowNs = startNs; nowNs - endNs < 0; nowNs = System.nanoTime()) {
      if (nextNs - nowNs <= 0) {
        fleet.strike(next);
        nextNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(next.untilNextMs());
        next = Fault.next(kinds, random);
      }
      if (tally.errorCount() > errors) {
        tally.errors().stream().skip(errors).forEach(this::print);
        errors = tally.errorCount();
      }
      clock.await(TICK_MS, TimeUnit.MILLISECONDS);
    }
    fleet.healAll();
  }

  private static void awaitEnd(List<Thread> threads, Tally tally) throws InterruptedException {
    long endNs = System.nanoTime() + END_TIMEOUT.toNanos();
    for (Thread client : threads) {
      if (!client.join(Duration.ofNanos(Math.max(1, endNs - System.nanoTime())))) {
        tally.error(
            client.getName()
                + " has not ended "
                + END_TIMEOUT.toSeconds()
                + " s after the end of the run");
      }
    }
  }

  /** Waits until the bridge has no connections and holds no memory, and reads its counters. */
  private static Result settled(ChaosBridge bridge, Tally tally) throws InterruptedException {
    CountDownLatch clock = new CountDownLatch(1);
    long endNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(15);
    while (left(bridge) > 0) {
      if (endNs - System.nanoTime() <= 0) {
        tally.error(
            left(bridge)
                + " connections and bytes are left in the bridge: "
                + bridge.admin().get("/connections"));
        break;
      }
      clock.await(TICK_MS, TimeUnit.MILLISECONDS);
    }
    return new Result(tally, bridge.moves(), bridge.admin().metric("waymark_replayed_bytes_total"));
  }

  private static long left(ChaosBridge bridge) {
    return bridge.admin().metric("waymark_connections_open")
        + bridge.admin().metric("waymark_memory_held_bytes");
  }

  private void summary(Fleet fleet, Result result) {
    Tally tally = result.tally();
    out.printf(
        Locale.ROOT,
        "seed %d: %s%n%d connections, %d replies of %d MiB checked, moves %s, %d bytes replayed%nrequest to reply: %s%nerrors: %d%n",
        seed,
        fleet.counts(),
        tally.connections(),
        tally.replies(),
        tally.replyBytes() >> 20,
        result.moves(),
        result.replayedBytes(),
        tally.pauses().text(),
        tally.errorCount());
    tally.errors().forEach(out::println);
    out.flush();
  }

  private void print(String what) {
    out.printf("%tT.%<tL %s%n", System.currentTimeMillis(), what);
  }

  private static Path rules(String text) {
    try {
      Path file = Files.createTempFile("waymark-chaos", ".rules.yml");
      file.toFile().deleteOnExit();
      return Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
