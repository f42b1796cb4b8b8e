package dev.waymark.upstream;

import dev.waymark.protocol.Hello;

/**
 * A source of announcements: one shard of one bridge. Immutable.
 *
 * @param number distinguishes this lane from later ones of the same shard
 * @param bridge how the bridge introduced itself
 */
public record AnnouncingLane(long number, Hello bridge) {}
