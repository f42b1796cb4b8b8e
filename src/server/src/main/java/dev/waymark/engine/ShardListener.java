package dev.waymark.engine;

/** A listener as one shard sees it. Confined to its shard's thread, but for the counters. */
final class ShardListener {
  private final ListenerOptions options;
  private final ShardPool pool;
  private final Counters counters;
  private String localAddress = "";

  ShardListener(ListenerOptions options, ShardPool pool, Counters counters) {
    this.options = options;
    this.pool = pool;
    this.counters = counters;
  }

  ListenerOptions options() {
    return options;
  }

  ShardPool pool() {
    return pool;
  }

  /** Upstreams of this pool may push to its connections, and know which there are (rule 6). */
  boolean isOpenTo(String poolName) {
    return options.pool().equals(poolName) || options.pushFrom().contains(poolName);
  }

  /** The same text in one place: most clients dial the same address. */
  String shared(String dialled) {
    if (!dialled.equals(localAddress)) {
      localAddress = dialled;
    }
    return localAddress;
  }

  Counters counters() {
    return counters;
  }
}
