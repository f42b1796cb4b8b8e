package dev.waymark.engine.pool;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;

/**
 * What the shards of a bridge have to know of one another when they try suspects of one pool (rule
 * 3): which upstreams are set apart, who uses them, whether others wait for their turn, and whether
 * upstreams die of something else too. One instance for all shards of a pool. Thread-safe.
 */
public final class PoisonQuarantine {
  private static final class Shared {
    final ProbationSite site;
    int shards;

    Shared(ProbationSite site) {
      this.site = site;
    }
  }

  private final LongSupplier clockNs;
  private final ConcurrentHashMap<String, Shared> sites = new ConcurrentHashMap<>();
  private final AtomicInteger waitingShards = new AtomicInteger();
  private final Doubts doubts = new Doubts();

  /**
   * @param clockNs monotonic, and the same for all shards; asked by any of them
   */
  public PoisonQuarantine(LongSupplier clockNs) {
    this.clockNs = clockNs;
  }

  /** A shard has a lane to this upstream; ended by {@link #leave}. */
  ProbationSite join(String upstream) {
    return sites.compute(
            upstream,
            (_, known) -> {
              Shared shared = known == null ? new Shared(new ProbationSite(clockNs)) : known;
              shared.shards++;
              return shared;
            })
        .site;
  }

  /** The shard has none any more. */
  void leave(String upstream) {
    sites.computeIfPresent(upstream, (_, shared) -> --shared.shards == 0 ? null : shared);
  }

  /** A shard has suspects that wait, or has none any more. */
  void waiting(boolean isWaiting) {
    waitingShards.addAndGet(isWaiting ? 1 : -1);
  }

  /** A shard has seen that an upstream died of something else than what clients send. */
  void doubt() {
    doubts.add(clockNs.getAsLong());
  }

  /** How many signs of it there are. */
  int doubts() {
    return doubts.count(clockNs.getAsLong());
  }

  /** How many shards have suspects that wait. */
  int waitingShards() {
    return waitingShards.get();
  }
}
