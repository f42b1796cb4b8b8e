package dev.waymark.engine.pool;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;

/**
 * The state that the shards of a bridge share about the suspects of one pool (rule 3): which
 * upstreams are set apart, how many connections each has, whether other shards wait for their turn,
 * and whether upstreams die of something other than requests. One instance for all shards of a
 * pool. Thread-safe.
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
   * @param clockNs monotonic, and the same for all shards; called by any of them
   */
  public PoisonQuarantine(LongSupplier clockNs) {
    this.clockNs = clockNs;
  }

  /** A shard has a lane to this upstream, until it calls {@link #leave}. */
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

  /** The shard no longer has a lane to it. */
  void leave(String upstream) {
    sites.computeIfPresent(upstream, (_, shared) -> --shared.shards == 0 ? null : shared);
  }

  /** A shard has got its first waiting suspect, or no longer has any. */
  void waiting(boolean isWaiting) {
    waitingShards.addAndGet(isWaiting ? 1 : -1);
  }

  /** A shard saw an upstream die of something other than a request. */
  void doubt() {
    doubts.add(clockNs.getAsLong());
  }

  /** How many such signs there have been lately. */
  int doubts() {
    return doubts.count(clockNs.getAsLong());
  }

  /** How many shards have waiting suspects. */
  int waitingShards() {
    return waitingShards.get();
  }
}
