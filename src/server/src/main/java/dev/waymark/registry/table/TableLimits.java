package dev.waymark.registry.table;

import java.time.Duration;

/**
 * What a table holds at most. Immutable.
 *
 * @param ttl the longest TTL of a node; also the default
 * @param nodesMax how many nodes may be registered
 * @param instancesMax how many instances all nodes together may register
 * @param nodeInstancesMax how many instances one node may register
 * @param changesMax how many changes are remembered for watchers that come back
 * @param dampingHalfLife of the penalty for instances that come and go
 */
public record TableLimits(
    Duration ttl,
    int nodesMax,
    int instancesMax,
    int nodeInstancesMax,
    int changesMax,
    Duration dampingHalfLife) {
  /** The shortest TTL of a node. */
  public static final Duration TTL_MIN = Duration.ofSeconds(1);

  /** The defaults of {@code waymark directory}. */
  public static final TableLimits DEFAULTS =
      new TableLimits(
          Duration.ofSeconds(10), 100_000, 500_000, 10_000, 131_072, Duration.ofSeconds(60));
}
