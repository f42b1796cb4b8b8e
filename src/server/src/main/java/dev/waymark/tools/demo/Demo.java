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
 * A bridge, upstreams and clients, and what befalls the upstreams. {@link #run} is called once, by
 * the thread that does the harm; the clients and the screen have threads of their own.
 */
public final class Demo {
  /** A reply was lost or came twice, or a connection was closed. */
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
   * What was asked for.
   *
   * @param seconds how long; 0: until it is stopped
   * @param seed of the order of faults
   */
  public record Options(int seconds, int clients, long seed) {}

  /**
   * @param stop released when the user wants it to end
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
   * Runs it to its end, and leaves no process behind.
   *
   * @return the exit code
   * @throws DemoException if it cannot start or go on
   */
  public int run() throws InterruptedException {
    try (Children children = new Children();
        AdminClient http = new AdminClient()) {
      List<DemoUpstream> upstreams = startUpstreams(children, http);
      List<String> addresses = upstreams.stream().map(DemoUpstream::address).toList();
      DemoBridge bridge = DemoBridge.start(children, http, addresses);
      introduce(bridge);
      List<Thread> clients = startClients(bridge);
      Ending ending = show(bridge, upstreams, clients);
      return summary(ending.totals(), ending.scrape());
    }
  }

  /** What there was at the end. */
  private record Ending(Tally.Totals totals, Scrape scrape) {}

  private Ending show(DemoBridge bridge, List<DemoUpstream> upstreams, List<Thread> clients)
      throws InterruptedException {
    try (Ticker ticker = new Ticker(title(), bridge, upstreams, tally, screen)) {
      torment(upstreams, clock.getAsLong());
      boolean isCut = stop.getCount() == 0;
      Tally.Totals atStop = tally.totals();
      over.countDown();
      awaitLastReplies(clients, isCut);
      ticker.look();
      return new Ending(isCut ? atStop : tally.totals(), ticker.latest());
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

  private void introduce(DemoBridge bridge) {
    screen.event(
        String.format(
            Locale.ROOT,
            "clients connect to %s; the bridge's admin port is %s",
            bridge.address().toString().substring(1),
            bridge.admin()));
    screen.event("so that a freeze is noticed soon, the bridge runs with " + DemoBridge.SETTINGS);
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
        options.seconds() == 0 ? "until it is ended" : options.seconds() + " s");
  }

  // --- faults ---

  private void torment(List<DemoUpstream> upstreams, long startNs) throws InterruptedException {
    Fault.Plan plan = new Fault.Plan(options.seed(), upstreams.size());
    long endNs = startNs + TimeUnit.SECONDS.toNanos(options.seconds());
    while (!isStopped(CALM_MS, endNs)) {
      Fault next = plan.next();
      strike(next.kind(), upstreams.get(next.upstream()), endNs);
    }
  }

  private void strike(Fault.Kind kind, DemoUpstream upstream, long endNs)
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
            "%s is well again; longest pause of a client meanwhile: %s",
            upstream.address(),
            DemoTable.ms(tally.takeLatestPauseNs())));
  }

  private static void restart(DemoUpstream upstream) throws InterruptedException {
    upstream.start();
    upstream.awaitReady();
  }

  /** Waits for so long, or less if it is to end. */
  private boolean isStopped(long ms, long endNs) throws InterruptedException {
    long leftMs =
        options.seconds() == 0
            ? ms
            : Math.min(ms, TimeUnit.NANOSECONDS.toMillis(endNs - clock.getAsLong()));
    return leftMs <= 0 || stop.await(leftMs, TimeUnit.MILLISECONDS) || leftMs < ms;
  }

  // --- end ---

  private void awaitLastReplies(List<Thread> clients, boolean isCut) throws InterruptedException {
    long endNs = clock.getAsLong() + TimeUnit.SECONDS.toNanos(LAST_REPLIES_S);
    for (Thread client : clients) {
      if (isCut) {
        client.interrupt();
      }
      long leftMs = Math.max(1, TimeUnit.NANOSECONDS.toMillis(endNs - clock.getAsLong()));
      if (!client.join(java.time.Duration.ofMillis(leftMs))) {
        // It waits for a reply that does not come: what it then says counts.
        client.interrupt();
        client.join();
      }
    }
  }

  private int summary(Tally.Totals totals, Scrape scrape) throws InterruptedException {
    String what =
        counts.entrySet().stream()
            .map(each -> each.getKey().label() + " " + each.getValue())
            .collect(Collectors.joining(", "));
    screen.print("");
    screen.print(
        "waymark demo, seed "
            + options.seed()
            + ": "
            + (what.isEmpty() ? "nothing happened" : what));
    screen.print("  " + DemoTable.traffic(totals));
    screen.print("  " + DemoTable.moving(totals, scrape));
    screen.print("  " + DemoTable.verdict(totals));
    return totals.isFlawless() ? 0 : EXIT_FLAWED;
  }
}
