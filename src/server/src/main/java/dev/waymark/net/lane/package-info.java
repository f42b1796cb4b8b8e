/**
 * The Attach calls of a shard: gRPC on Netty's HTTP/2 codec and the shard's own event loop, batches
 * in and out, back pressure. Only translates: {@link dev.waymark.engine.lane.Lane} decides what a
 * frame does. Out of scope: discovery, health, balancing. Start at {@link
 * dev.waymark.net.lane.LaneConnector}.
 */
@NullMarked
package dev.waymark.net.lane;

import org.jspecify.annotations.NullMarked;
