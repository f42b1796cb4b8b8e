/**
 * Limits on what a peer may send and may leave unread, between a socket and gRPC's HTTP/2;
 * grpc-java's transport has none of its own (docs/decisions/0024).
 *
 * <p>Out of scope: HTTP/2 itself, calls, dialling. Used for the channels of lanes and health
 * Watches, and by the SDK for servers on grpc-netty. Handlers are confined to the event loop of
 * their channel. Start at {@link dev.waymark.protocol.http2.PeerGuard}.
 */
@NullMarked
package dev.waymark.protocol.http2;

import org.jspecify.annotations.NullMarked;
