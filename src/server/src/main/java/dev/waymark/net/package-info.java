/**
 * Sockets. Here: which of Netty's transports carries them, and what is mended in those. Below:
 * `listener` (clients), `lane` (Attach calls to upstreams), and `dial` (how upstreams are reached).
 *
 * <p>Not inside: what becomes of the bytes (`engine`), discovery and health (`upstreams`). Start at
 * {@link dev.waymark.net.NettyTransport}.
 */
@NullMarked
package dev.waymark.net;

import org.jspecify.annotations.NullMarked;
