/**
 * Sockets. Here: which of Netty's transports carries them, and what is mended in those. Below:
 * {@code listener} (clients), {@code lane} (Attach calls to upstreams), and {@code dial} (how
 * upstreams are reached).
 *
 * <p>Out of scope: what becomes of the bytes ({@code engine}), discovery and health ({@code
 * upstreams}). Start at {@link dev.waymark.net.NettyTransport}.
 */
@NullMarked
package dev.waymark.net;

import org.jspecify.annotations.NullMarked;
