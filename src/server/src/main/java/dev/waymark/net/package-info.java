/**
 * Sockets. This package chooses one of Netty's transports and works around their defects. Below it
 * are {@code listener} (clients), {@code lane} (Attach calls to upstreams) and {@code dial} (how
 * upstreams are dialled).
 *
 * <p>Out of scope: what happens to the bytes ({@code engine}), discovery and health ({@code
 * upstreams}). Start at {@link dev.waymark.net.NettyTransport}.
 */
@NullMarked
package dev.waymark.net;

import org.jspecify.annotations.NullMarked;
