package dev.waymark.engine.base;

/**
 * The registry from which a shard gets its counters, so that metrics know each of them from the
 * start. Thread-safe.
 */
public interface ShardCounters {
  /** The counters of one listener in one shard; the same object for the same arguments. */
  Counters listener(String listener);

  /** The counters of one upstream in one shard; the same object for the same arguments. */
  Counters upstream(String pool, String upstream);

  /** The upstream has left its pool, and nothing of it is left in the shard. */
  void forgetUpstream(String pool, String upstream);
}
