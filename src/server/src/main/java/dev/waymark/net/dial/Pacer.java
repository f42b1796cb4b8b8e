package dev.waymark.net.dial;

import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;

/**
 * Opens and ends channels a few at a time: with hundreds of them in one turn everything else on the
 * event loop would wait for seconds. Steps run in the order in which they came. Confined to its
 * loop's thread.
 */
public final class Pacer {
  /** One turn's steps take no longer, but for the last one of them. */
  static final long TURN_BUDGET_NS = 2_000_000;

  /** In between, the loop serves everybody else. */
  static final long PAUSE_NS = 4_000_000;

  private final EventLoop loop;
  private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
  private boolean isRunning;

  public Pacer(EventLoop loop) {
    this.loop = loop;
  }

  /** Runs it soon, in a later turn; one that throws does not keep the others from running. */
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
