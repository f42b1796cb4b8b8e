package dev.waymark.tools.demo;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Runs a bridge, upstreams and clients, and injects faults into the upstreams. {@link #run} may be
 * called once; the calling thread injects the faults, while clients and screen have their own
 * threads.
 */
public final class Demo {
  /** The exit code if a reply was lost or came twice, or a connection was closed. */
  public static final int EXIT_FLAWED = 3;

  private static final int UPSTREAMS = 3;
  private static final long CALM_MS = 1_500;
  private static final long DOWN_MS = 1_000;
  private static final long FROZEN_MS = 4_000;
  private static final long DRAIN_MS = 3_000;
  private static final long LAST_REPLIES_S = 10;

  private final Options options;
  private final Screen screen;
  private final CountDownLatch stop;
  private final LongSupplier clock;
  private final Tally tally = new Tally();
  private final CountDownLatch over = new CountDownLatch(1);
  private final Map<Fault.Kind, Integer> counts = new EnumMap<>(Fault.Kind.class);

  /**
   * The options of a demo.
   *
   * @param seconds how long to run; 0 until stopped
   * @param seed the seed for the order of faults
   */
  public record Options(int seconds, int clients, long seed) {}

  /**
   * @param stop released when the user wants the demo to end
   * @param clock monotonic, in nanoseconds
   */
  public Demo(
      Options options,
      PrintWriter out,
      boolean isTerminal,
      CountDownLatch stop,
      LongSupplier clock) {
    this.options = options;
    this.screen = new Screen(out, isTerminal);
    this.stop = stop;
    this.clock = clock;
  }

  /**
   * Runs the demo to its end and leaves no process behind.
   *
   * @return the exit code
   * @throws DemoException if it cannot start or continue
   */
  public int run() throws InterruptedException {
    try (Children children = new Children();
        AdminClient http = new AdminClient()) {
      List<DemoUpstream> upstreams = startUpstreams(children, http);
      List<String> addresses = upstreams.stream().map(DemoUpstream::address).toList();
      DemoBridge bridge = DemoBridge.start(children, http, addresses);
      printIntroduction(bridge);
      List<Thread> clients = startClients(bridge);
      Ending ending = runWithFaults(bridge, upstreams, clients);
      return summary(ending.totals(), ending.scrape());
    }
  }

  /** The figures at the end. */
  private record Ending(Tally.Totals totals, Scrape scrape) {}

  private Ending runWithFaults(
      DemoBridge bridge, List<DemoUpstream> upstreams, List<Thread> clients)
      throws InterruptedException {
    try (Ticker ticker = new Ticker(title(), bridge, upstreams, tally, screen)) {
      injectFaults(upstreams, clock.getAsLong());
      boolean isInterrupted = stop.getCount() == 0;
      Tally.Totals atStop = tally.totals();
      over.countDown();
      awaitLastReplies(clients, isInterrupted);
      ticker.poll();
      return new Ending(isInterrupted ? atStop : tally.totals(), ticker.latest());
    }
  }

  // --- start ---

  private List<DemoUpstream> startUpstreams(Children children, AdminClient http)
      throws InterruptedException {
    screen.print(
        String.format(
            Locale.ROOT,
            "starting a bridge, %d upstreams and %d clients ...",
            UPSTREAMS,
            options.clients()));
    SplittableRandom ports = new SplittableRandom(clock.getAsLong());
    List<DemoUpstream> upstreams =
        IntStream.range(0, UPSTREAMS)
            .mapToObj(_ -> new DemoUpstream(children, http, ports))
            .toList();
    upstreams.forEach(DemoUpstream::start);
    for (DemoUpstream upstream : upstreams) {
      upstream.awaitReady();
    }
    return upstreams;
  }

  private void printIntroduction(DemoBridge bridge) {
    screen.event(
        String.format(
            Locale.ROOT,
            "clients connect to %s; the bridge's admin port is %s",
            bridge.address().toString().substring(1),
            bridge.admin()));
    screen.event("to notice freezes soon, the bridge runs with " + DemoBridge.SETTINGS);
  }

  private List<Thread> startClients(DemoBridge bridge) {
    List<Thread> clients = new ArrayList<>();
    for (int i = 0; i < options.clients(); i++) {
      DemoClient client = new DemoClient(i, bridge.address(), tally, over, clock);
      clients.add(Thread.ofVirtual().name("client-" + i).start(client));
    }
    return clients;
  }

  private String title() {
    return String.format(
        Locale.ROOT,
        "waymark demo: %d clients, %d upstreams, seed %d, %s; Ctrl-C ends it",
        options.clients(),
        UPSTREAMS,
        options.seed(),
        options.seconds() == 0 ? "no time limit" : options.seconds() + " s");
  }

  // --- faults ---

  private void injectFaults(List<DemoUpstream> upstreams, long startNs)
      throws InterruptedException {
    Fault.Plan plan = new Fault.Plan(options.seed(), upstreams.size());
    long endNs = startNs + TimeUnit.SECONDS.toNanos(options.seconds());
    while (!isStopped(CALM_MS, endNs)) {
      Fault next = plan.next();
      inject(next.kind(), upstreams.get(next.upstream()), endNs);
    }
  }

  private void inject(Fault.Kind kind, DemoUpstream upstream, long endNs)
      throws InterruptedException {
    counts.merge(kind, 1, Integer::sum);
    tally.takeLatestPauseNs();
    screen.event(upstream.address() + " " + kind.text());
    switch (kind) {
      case KILL -> {
        upstream.kill();
        isStopped(DOWN_MS, endNs);
        restart(upstream);
      }
      case FREEZE -> {
        upstream.freeze();
        isStopped(FROZEN_MS, endNs);
        upstream.thaw();
      }
      case DRAIN -> {
        upstream.drain();
        isStopped(DRAIN_MS, endNs);
        upstream.stop();
        restart(upstream);
      }
      case RESTART -> {
        upstream.stop();
        restart(upstream);
      }
    }
    screen.event(
        String.format(
            Locale.ROOT,
            "%s is back; longest client pause meanwhile: %s",
            upstream.address(),
            DemoTable.ms(tally.takeLatestPauseNs())));
  }

  private static void restart(DemoUpstream upstream) throws InterruptedException {
    upstream.start();
    upstream.awaitReady();
  }

  /** Waits for this time, or until the demo should end. Returns whether it should. */
  private boolean isStopped(long ms, long endNs) throws InterruptedException {
    long leftMs =
        options.seconds() == 0
            ? ms
            : Math.min(ms, TimeUnit.NANOSECONDS.toMillis(endNs - clock.getAsLong()));
    return leftMs <= 0 || stop.await(leftMs, TimeUnit.MILLISECONDS) || leftMs < ms;
  }

  // --- end ---

  private void awaitLastReplies(List<Thread> clients, boolean isInterrupted)
      throws InterruptedException {
    long endNs = clock.getAsLong() + TimeUnit.SECONDS.toNanos(LAST_REPLIES_S);
    for (Thread client : clients) {
      if (isInterrupted) {
        client.interrupt();
      }
      long leftMs = Math.max(1, TimeUnit.NANOSECONDS.toMillis(endNs - clock.getAsLong()));
      if (!client.join(java.time.Duration.ofMillis(leftMs))) {
        // It awaits a reply that does not come. What it counts after the interrupt stands.
        client.interrupt();
        client.join();
      }
    }
  }

  private int summary(Tally.Totals totals, Scrape scrape) throws InterruptedException {
    String faults =
        counts.entrySet().stream()
            .map(each -> each.getKey().label() + " " + each.getValue())
            .collect(Collectors.joining(", "));
    screen.print("");
    screen.print(
        "waymark demo, seed " + options.seed() + ": " + (faults.isEmpty() ? "no faults" : faults));
    screen.print("  " + DemoTable.traffic(totals));
    screen.print("  " + DemoTable.moving(totals, scrape));
    screen.print("  " + DemoTable.verdict(totals));
    return totals.isFlawless() ? 0 : EXIT_FLAWED;
  }
}
