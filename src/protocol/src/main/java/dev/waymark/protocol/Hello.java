package dev.waymark.protocol;

import java.util.List;

/**
 * The bridge at the other end of a lane. Immutable.
 *
 * @param instance the first half of every mark of this bridge
 * @param node host or pod name
 * @param version software version
 * @param pool the pool that the lane belongs to
 * @param shard the shard that holds the lane, from 0
 * @param shards how many shards the bridge has
 */
public record Hello(
    long instance, String node, String version, String pool, int shard, int shards) {
  /** The revision of the protocol that this module implements. */
  public static final int REVISION = 1;

  /** The features that a bridge offers. */
  public static final List<String> FEATURES = List.of("push", "announcements");
}
