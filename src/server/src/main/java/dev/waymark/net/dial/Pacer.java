package dev.waymark.net.dial;

import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;

/**
 * Opens and closes channels a few at a time: hundreds of them in one turn would block the event
 * loop for seconds. Steps run in the order in which they were added. Confined to its loop's thread.
 */
public final class Pacer {
  /** No step starts in a turn after this time. */
  static final long TURN_BUDGET_NS = 2_000_000;

  /** The pause between turns, in which the loop does its other work. */
  static final long PAUSE_NS = 4_000_000;

  private final EventLoop loop;
  private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
  private boolean isRunning;

  public Pacer(EventLoop loop) {
    this.loop = loop;
  }

  /** Runs a step soon, in a later turn. A step that throws does not prevent the others. */
  public void later(Runnable step) {
    waiting.add(step);
    if (!isRunning) {
      isRunning = true;
      loop.execute(this::turn);
    }
  }

  private void turn() {
    long startNs = loop.ticker().nanoTime();
    Runnable next;
    while ((next = waiting.poll()) != null) {
      boolean isLast = true;
      try {
        next.run();
        isLast = loop.ticker().nanoTime() - startNs >= TURN_BUDGET_NS;
      } finally {
        if (isLast) {
          loop.schedule(this::turn, PAUSE_NS, TimeUnit.NANOSECONDS);
        }
      }
      if (isLast) {
        return;
      }
    }
    isRunning = false;
  }
}
