/**
 * Limits on what an HTTP/2 peer may send or leave unread, enforced between a socket and the HTTP/2
 * handler; grpc-java's transport has none of its own (docs/decisions/0024).
 *
 * <p>Out of scope: HTTP/2 itself, calls, dialling. Used by the bridge for the channels of lanes and
 * health Watches, and by the SDK for servers on grpc-netty. Handlers are confined to the event loop
 * of their channel. Start at {@link dev.waymark.protocol.http2.PeerGuard}.
 */
@NullMarked
package dev.waymark.protocol.http2;

import org.jspecify.annotations.NullMarked;
