package dev.waymark.engine.shard;

/**
 * Identifies a shard and its bridge. Immutable.
 *
 * @param index from 0
 * @param count how many shards the bridge has
 * @param instance the first half of every mark of this bridge
 * @param node host or pod name
 * @param version software version
 */
public record ShardIdentity(int index, int count, long instance, String node, String version) {}
