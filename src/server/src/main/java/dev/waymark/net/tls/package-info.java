/**
 * TLS: certificates, keys and trust read from PEM files, which are watched, and the contexts that
 * handshakes use. Out of scope: sockets, and what travels on them. Start at {@link
 * dev.waymark.net.tls.ServerTls}.
 */
@NullMarked
package dev.waymark.net.tls;

import org.jspecify.annotations.NullMarked;
