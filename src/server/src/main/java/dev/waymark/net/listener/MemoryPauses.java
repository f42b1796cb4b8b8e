package dev.waymark.net.listener;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Counts the shards that are over the memory budget: no port accepts while any is. Thread-safe;
 * shared by all ports, including those that open later.
 */
public final class MemoryPauses {
  private final AtomicInteger shards = new AtomicInteger();

  /** Called when a shard exceeds the memory budget. */
  public void enter() {
    shards.incrementAndGet();
  }

  /** The counterpart of {@link #enter}. */
  public void leave() {
    shards.decrementAndGet();
  }

  boolean isPaused() {
    return shards.get() > 0;
  }
}
