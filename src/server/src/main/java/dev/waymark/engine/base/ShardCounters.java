package dev.waymark.engine.base;

/**
 * Where a shard gets its counters, so that whoever shows them knows each from the start.
 * Thread-safe.
 */
public interface ShardCounters {
  /** Those of one listener in one shard; the same object for the same arguments. */
  Counters listener(String listener);

  /** Those of one upstream in one shard; the same object for the same arguments. */
  Counters upstream(String pool, String upstream);

  /** The upstream has left its pool, and nothing of it is left in the shard. */
  void forgetUpstream(String pool, String upstream);
}
