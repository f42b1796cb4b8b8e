package dev.waymark.net.listener;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/** The counters of a listener. Thread-safe. */
public final class ListenerCounters {
  private final AtomicInteger open = new AtomicInteger();
  private final LongAdder refused = new LongAdder();
  private final LongAdder acceptPauses = new LongAdder();

  /**
   * Counts a client as open and returns true, or at connectionsMax as refused and returns false.
   */
  boolean enter(int connectionsMax) {
    if (open.incrementAndGet() > connectionsMax) {
      open.decrementAndGet();
      refused.increment();
      return false;
    }
    return true;
  }

  void leave() {
    open.decrementAndGet();
  }

  void pause() {
    acceptPauses.increment();
  }

  /** Returns the number of open connections. */
  public int open() {
    return open.get();
  }

  /** Returns the number of clients closed at once because of connections-max. */
  public long refused() {
    return refused.sum();
  }

  /** Returns how often accepting paused for lack of descriptors or memory. */
  public long acceptPauses() {
    return acceptPauses.sum();
  }
}
