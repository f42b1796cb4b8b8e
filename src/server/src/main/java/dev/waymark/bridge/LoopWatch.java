package dev.waymark.bridge;

import dev.waymark.engine.base.Histogram;
import dev.waymark.engine.base.LoopClock;
import dev.waymark.engine.base.LoopTime;
import io.netty.channel.EventLoop;
import java.util.concurrent.TimeUnit;

/**
 * Keeps the time of one event loop, and measures how late the loop is. Confined to the loop's
 * thread, but for the histograms, which any thread may read.
 */
final class LoopWatch implements LoopTime, LoopClock.Listener {
  /** Hears of standstills on the loop's thread; must not block. */
  interface Listener {
    /** The loop stood still for so long. */
    void onLoopLate(String loop, long standstillNs);
  }

  /** Shorter standstills are counted, and told to nobody. */
  static final long TOLD_NS_MIN = 1_000_000_000L;

  private static final long MS = 1_000_000L;

  /** The highest bound of the histograms. */
  private static final long LATE_NS_MAX = 100_000 * MS;

  private final String loop;
  private final Listener listener;
  private final LoopClock clock = new LoopClock(this);
  private final Histogram lag = Histogram.between(MS, LATE_NS_MAX);
  private final Histogram standstills = Histogram.between(250 * MS, LATE_NS_MAX);
  private LoopClock.Listener onStandstill = _ -> {};

  /**
   * @param loop its name, for people
   */
  LoopWatch(String loop, Listener listener) {
    this.loop = loop;
    this.listener = listener;
  }

  // --- inputs ---

  /** The loop runs, and reads the time once per tick from now on. */
  void start() {
    clock.start(Clock.nowNs());
  }

  /** The same for a loop that has no timer of its own: reads the time until the loop ends. */
  void startTicking(EventLoop on) {
    on.execute(() -> {
      start();
      tick(on);
    });
  }

  /** Told of every standstill, before the input that notices it. */
  void onStandstill(LoopClock.Listener action) {
    onStandstill = action;
  }

  /**
   * A timer of the loop fired.
   *
   * @param dueNs when it was due, by {@link Clock#nowNs}
   */
  void onTimer(long dueNs) {
    lag.add(Math.max(0, Clock.nowNs() - dueNs));
  }

  @Override
  public void onStandstill(long standstillNs) {
    standstills.add(standstillNs);
    onStandstill.onStandstill(standstillNs);
    if (standstillNs >= TOLD_NS_MIN) {
      listener.onLoopLate(loop, standstillNs);
    }
  }

  // --- outputs ---

  @Override
  public long nowNs() {
    return clock.nowNs(Clock.nowNs());
  }

  @Override
  public long standstillNs() {
    return clock.standstillNs();
  }

  /** As {@link LoopClock#isDeferringDeadlines}. */
  boolean isDeferringDeadlines() {
    return clock.isDeferringDeadlines();
  }

  String loop() {
    return loop;
  }

  /** How late timers fired. */
  Histogram lag() {
    return lag;
  }

  /** How long the loop stood still. */
  Histogram standstills() {
    return standstills;
  }

  private void tick(EventLoop on) {
    long dueNs = Clock.nowNs() + LoopClock.TICK_NS;
    var _ =
        on.schedule(
            () -> {
              onTimer(dueNs);
              nowNs();
              tick(on);
            },
            LoopClock.TICK_NS,
            TimeUnit.NANOSECONDS);
  }
}
