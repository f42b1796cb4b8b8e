package dev.waymark.tools.directory;

import dev.waymark.v1.WatchResponse;
import java.time.Duration;

/**
 * What a directory says of itself in every response to watchers. Immutable.
 *
 * @param epoch of this process
 * @param startNs when it started, by the clock of its loop
 * @param ttl the longest TTL of nodes
 */
record ServerFacts(long epoch, long startNs, Duration ttl) {
  /** How many heartbeats there are in a TTL. */
  static final int HEARTBEATS_PER_TTL = 3;

  private static final long NS_PER_MS = 1_000_000;

  long heartbeatNs() {
    return ttl.toNanos() / HEARTBEATS_PER_TTL;
  }

  /** Whether every node that is alive has had the time to come back. */
  boolean isSettled(long nowNs) {
    return nowNs - startNs >= ttl.toNanos();
  }

  /** A response without a version or changes. */
  WatchResponse.Builder response(long nowNs) {
    return WatchResponse.newBuilder()
        .setEpoch(epoch)
        .setUptimeMs((nowNs - startNs) / NS_PER_MS)
        .setTtlMs((int) ttl.toMillis())
        .setHeartbeatMs((int) (heartbeatNs() / NS_PER_MS));
  }
}
