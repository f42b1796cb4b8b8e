package dev.waymark.net.listener;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * How many shards are over the memory budget: no port accepts while any is. Thread-safe; shared by
 * all ports, those included that open meanwhile.
 */
public final class MemoryPauses {
  private final AtomicInteger shards = new AtomicInteger();

  /** One more shard is over it. */
  public void enter() {
    shards.incrementAndGet();
  }

  /** The counterpart of {@link #enter}. */
  public void leave() {
    shards.decrementAndGet();
  }

  boolean isAny() {
    return shards.get() > 0;
  }
}
