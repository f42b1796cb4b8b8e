package dev.waymark.tools.directory;

import dev.waymark.v1.WatchResponse;
import java.time.Duration;

/** What a directory says of itself in every response to watchers. Confined to its loop. */
final class ServerFacts {
  /** How many heartbeats there are in a TTL. */
  private static final int HEARTBEATS_PER_TTL = 3;

  private static final long NS_PER_MS = 1_000_000;

  /** What makes the table whole after a start. */
  private enum Whole {
    /** A TTL, within which all nodes that are alive come back. */
    BY_TIME,
    /** The store, which has not been read yet. */
    AWAITS_STORE,
    STORE_READ
  }

  private final long epoch;
  private final long startNs;
  private final Duration ttl;
  private Whole whole;

  /**
   * @param epoch of this process
   * @param startNs when it started, by the clock of its loop
   * @param ttl the longest TTL of nodes
   * @param hasStore whether what was registered before the start is in a store
   */
  ServerFacts(long epoch, long startNs, Duration ttl, boolean hasStore) {
    this.epoch = epoch;
    this.startNs = startNs;
    this.ttl = ttl;
    this.whole = hasStore ? Whole.AWAITS_STORE : Whole.BY_TIME;
  }

  /** The store has been read. */
  void onStoreRead() {
    whole = Whole.STORE_READ;
  }

  long epoch() {
    return epoch;
  }

  Duration ttl() {
    return ttl;
  }

  long heartbeatNs() {
    return ttl.toNanos() / HEARTBEATS_PER_TTL;
  }

  /** Whether what is not in the table is not registered. */
  boolean isSettled(long nowNs) {
    return uptimeNs(nowNs) >= ttl.toNanos();
  }

  /** For how long nodes have had the time to come back, or as if, with a store. */
  private long uptimeNs(long nowNs) {
    return switch (whole) {
      case BY_TIME -> nowNs - startNs;
      case AWAITS_STORE -> 0;
      case STORE_READ -> Math.max(nowNs - startNs, ttl.toNanos());
    };
  }

  /** A response without a version or changes. */
  WatchResponse.Builder response(long nowNs) {
    return WatchResponse.newBuilder()
        .setEpoch(epoch)
        .setUptimeMs(uptimeNs(nowNs) / NS_PER_MS)
        .setTtlMs((int) ttl.toMillis())
        .setHeartbeatMs((int) (heartbeatNs() / NS_PER_MS));
  }
}
