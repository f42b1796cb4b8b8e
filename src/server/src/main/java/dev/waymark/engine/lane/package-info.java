/**
 * One Attach call between a shard and an upstream, which carries the frames of many connections:
 * Settings, Pings, batches and announcements (rules 5 to 8).
 *
 * <p>Out of scope: which connections go to which lane, and when a broken lane is opened again. A
 * lane sees its pool as {@link dev.waymark.engine.lane.LanePool} and its shard as {@link
 * dev.waymark.engine.lane.LaneHost}; the edge implements {@link
 * dev.waymark.engine.lane.LaneTransport}. May be imported by the packages of the engine above it
 * and by the edge. Confined to the shard's thread. Start at {@link dev.waymark.engine.lane.Lane}.
 */
@NullMarked
package dev.waymark.engine.lane;

import org.jspecify.annotations.NullMarked;
