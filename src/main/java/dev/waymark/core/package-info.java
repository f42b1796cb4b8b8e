/**
 * The pure state machines of a shard: marks, connections, windows, commits, assignment, draining.
 *
 * <p>Not inside: sockets, gRPC, clocks, threads, randomness, loggers, metrics libraries. Time is an
 * argument (`nowNs`), effects go out through the small interfaces {@link
 * dev.waymark.core.ClientSocket}, {@link dev.waymark.core.LaneTransport} and {@link
 * dev.waymark.core.ShardEnvironment}. Every class is confined to its shard's thread unless it says
 * otherwise. Start at {@link dev.waymark.core.Shard}. The rules are in docs/protocol.md.
 */
@NullMarked
package dev.waymark.core;

import org.jspecify.annotations.NullMarked;
