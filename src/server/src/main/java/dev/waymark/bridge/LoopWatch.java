package dev.waymark.bridge;

import dev.waymark.engine.base.Histogram;
import dev.waymark.engine.base.LoopClock;
import dev.waymark.engine.base.LoopTime;
import io.netty.channel.EventLoop;
import java.util.concurrent.TimeUnit;

/**
 * Keeps the time of one event loop, and measures how late the loop is. Confined to the loop's
 * thread, except for the histograms, which any thread may read.
 */
final class LoopWatch implements LoopTime, LoopClock.Listener {
  /** Receives standstills. Called on the loop's thread; must not block. */
  interface Listener {
    /** Called after the loop has stood still for this long. */
    void onLoopLate(String loop, long standstillNs);
  }

  /** Shorter standstills only count in the histogram and are not reported to the listener. */
  static final long REPORTED_NS_MIN = 1_000_000_000L;

  private static final long MS = 1_000_000L;

  /** The largest bound of the histograms. */
  private static final long LATE_NS_MAX = 100_000 * MS;

  private final String loop;
  private final Listener listener;
  private final LoopClock clock = new LoopClock(this);
  private final Histogram lag = Histogram.between(MS, LATE_NS_MAX);
  private final Histogram standstills = Histogram.between(250 * MS, LATE_NS_MAX);
  private LoopClock.Listener onStandstill = _ -> {};

  /**
   * @param loop the display name of the loop
   */
  LoopWatch(String loop, Listener listener) {
    this.loop = loop;
    this.listener = listener;
  }

  // --- inputs ---

  /** Starts the clock: from now on the loop must read the time once per tick. */
  void start() {
    clock.start(Clock.nowNs());
  }

  /** Starts the clock of a loop without a timer of its own, and reads the time until it ends. */
  void startTicking(EventLoop on) {
    on.execute(() -> {
      start();
      tick(on);
    });
  }

  /** Sets an action for every standstill, called before the input that notices it is handled. */
  void onStandstill(LoopClock.Listener action) {
    onStandstill = action;
  }

  /**
   * Records that a timer of the loop has fired.
   *
   * @param dueNs when it was due, in terms of {@link Clock#nowNs}
   */
  void onTimer(long dueNs) {
    lag.add(Math.max(0, Clock.nowNs() - dueNs));
  }

  @Override
  public void onStandstill(long standstillNs) {
    standstills.add(standstillNs);
    onStandstill.onStandstill(standstillNs);
    if (standstillNs >= REPORTED_NS_MIN) {
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

  /** See {@link LoopClock#isDeferringDeadlines}. */
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
