package dev.waymark.bridge;

import dev.waymark.engine.base.LoopClock;

/**
 * A timeout that excludes time in which the process stood still. Its thread must check it every few
 * milliseconds. Confined to that thread.
 */
public final class Wait {
  private final LoopClock clock = new LoopClock(_ -> {});
  private final long deadlineNs;

  public Wait(long timeoutNs) {
    long nowNs = Clock.nowNs();
    clock.start(nowNs);
    deadlineNs = nowNs + timeoutNs;
  }

  /** The remaining time; not positive once it is over. */
  long remainingNs() {
    return deadlineNs - clock.nowNs(Clock.nowNs());
  }

  public boolean isOver() {
    return remainingNs() <= 0;
  }
}
