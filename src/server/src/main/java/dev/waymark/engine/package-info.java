/**
 * The pure state machines of a shard: marks, connections, windows, commits, assignment, draining.
 *
 * <p>Not inside: sockets, gRPC, clocks, threads, randomness, loggers, metrics libraries. Time is an
 * argument (`nowNs`), effects go out through the small interfaces {@link
 * dev.waymark.engine.ClientSocket}, {@link dev.waymark.engine.LaneTransport} and {@link
 * dev.waymark.engine.ShardEnvironment}. Every class is confined to its shard's thread unless it
 * says otherwise. Start at {@link dev.waymark.engine.Shard}. The rules are in docs/protocol.md.
 */
@NullMarked
package dev.waymark.engine;

import org.jspecify.annotations.NullMarked;
