package dev.waymark.upstream;

import dev.waymark.protocol.Hello;

/**
 * A source of announcements: one shard of one bridge. Immutable.
 *
 * @param number tells this lane from a later one of the same shard
 * @param bridge the bridge, as it introduced itself
 */
public record AnnouncingLane(long number, Hello bridge) {}
