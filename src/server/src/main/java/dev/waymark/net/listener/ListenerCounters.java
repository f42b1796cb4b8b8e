package dev.waymark.net.listener;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/** What a listening port counts by itself. Thread-safe. */
public final class ListenerCounters {
  private final AtomicInteger open = new AtomicInteger();
  private final LongAdder refused = new LongAdder();
  private final LongAdder acceptPauses = new LongAdder();

  /** Takes a place if there is one. */
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

  /** Connections open now. */
  public int open() {
    return open.get();
  }

  /** Clients closed at once because of connections-max. */
  public long refused() {
    return refused.sum();
  }

  /** Times that accepting paused, for want of descriptors or memory. */
  public long acceptPauses() {
    return acceptPauses.sum();
  }
}
