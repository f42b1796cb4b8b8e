package dev.waymark.upstream;

import dev.waymark.protocol.Hello;

/**
 * Where announcements come from: one shard of one bridge. Immutable.
 *
 * @param number tells this lane from a later one of the same shard
 * @param bridge what the bridge said of itself
 */
public record AnnouncingLane(long number, Hello bridge) {}
