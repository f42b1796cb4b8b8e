package dev.waymark.bridge;

import dev.waymark.engine.base.LoopClock;

/**
 * A wait of one thread that looks how much of it is left every few milliseconds. Time in which the
 * process stood still does not count. Confined to that thread.
 */
public final class Wait {
  private final LoopClock clock = new LoopClock(_ -> {});
  private final long deadlineNs;

  public Wait(long timeoutNs) {
    long nowNs = Clock.nowNs();
    clock.start(nowNs);
    deadlineNs = nowNs + timeoutNs;
  }

  /** Not positive: it is over. */
  long leftNs() {
    return deadlineNs - clock.nowNs(Clock.nowNs());
  }

  public boolean isOver() {
    return leftNs() <= 0;
  }
}
