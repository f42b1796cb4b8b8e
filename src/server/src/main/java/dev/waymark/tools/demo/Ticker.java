package dev.waymark.tools.demo;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Polls the bridge periodically and draws the current state, on its own thread. Closing it closes
 * the screen.
 */
final class Ticker implements AutoCloseable {
  private static final long TERMINAL_MS = 500;
  private static final long LINES_MS = 5_000;

  private final String title;
  private final DemoBridge bridge;
  private final List<DemoUpstream> upstreams;
  private final Tally tally;
  private final Screen screen;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("demo-screen").factory());
  private volatile Scrape latest = Scrape.NONE;

  Ticker(
      String title, DemoBridge bridge, List<DemoUpstream> upstreams, Tally tally, Screen screen) {
    this.title = title;
    this.bridge = bridge;
    this.upstreams = upstreams;
    this.tally = tally;
    this.screen = screen;
    long everyMs = screen.isTerminal() ? TERMINAL_MS : LINES_MS;
    thread.scheduleWithFixedDelay(this::tick, everyMs, everyMs, TimeUnit.MILLISECONDS);
  }

  /** The latest metrics of the bridge. */
  Scrape latest() {
    return latest;
  }

  /** Polls the bridge now. Thread-safe. */
  void poll() {
    try {
      latest = bridge.scrape();
    } catch (IOException unavailable) {
      // Keep the previous figures.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
    screen.close();
  }

  private void tick() {
    poll();
    Tally.Totals totals = tally.totals();
    if (screen.isTerminal()) {
      upstreams.forEach(DemoUpstream::poll);
      List<DemoTable.Row> rows = upstreams.stream().map(this::row).toList();
      screen.draw(DemoTable.render(title, rows, totals, latest, screen.events()));
    } else {
      screen.print(DemoTable.line(totals, latest));
    }
  }

  private DemoTable.Row row(DemoUpstream upstream) {
    String address = upstream.address();
    return new DemoTable.Row(
        address, upstream.state().label(), latest.connections(address), upstream.requests());
  }
}
