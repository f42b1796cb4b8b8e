/**
 * The engine: makes every decision about connections and lanes, as state machines without I/O.
 *
 * <p>Out of scope: sockets, gRPC, clocks, threads, randomness, loggers, metrics libraries. Time is
 * an argument ({@code nowNs}); effects go out through small interfaces that the edge, the adapters
 * to Netty and gRPC, implements: {@link dev.waymark.engine.stream.ClientSocket}, {@link
 * dev.waymark.engine.lane.LaneTransport} and {@link dev.waymark.engine.shard.ShardEnvironment}.
 *
 * <p>This package holds no classes. The machines are in the packages below it, each of which sees
 * only those named before it:
 *
 * <ul>
 *   <li>{@code base}: limits, counters, time and deadlines
 *   <li>{@code stream}: the bytes of one connection, in either direction
 *   <li>{@code connection}: one client from accept to close, and its owners
 *   <li>{@code lane}: one call to an upstream, shared by many connections
 *   <li>{@code pool}: the upstreams of a pool, and which of them a connection goes to
 *   <li>{@code shard}: all of these on one event loop
 * </ul>
 *
 * <p>A machine receives inputs and returns what should happen; the machine above it acts on that.
 * What a machine needs from those above it, it gets through an interface that it declares: a
 * connection sees its lane as {@link dev.waymark.engine.connection.Owner} and its shard as {@link
 * dev.waymark.engine.connection.ConnectionHost}.
 *
 * <p>The path of a client's bytes: {@code ClientSocket} (edge) → {@code Connection} → {@code
 * ClientDirection} → {@code Lane} → {@code LaneTransport} (edge). The way back: {@code
 * Lane.onFrame} → {@code Connection.onFrame} → {@code ReplyDirection} → {@code ClientSocket}.
 *
 * <p>Every class is confined to its shard's thread unless it says otherwise. Start at {@link
 * dev.waymark.engine.shard.Shard}. The rules are in docs/protocol.md.
 */
@NullMarked
package dev.waymark.engine;

import org.jspecify.annotations.NullMarked;
