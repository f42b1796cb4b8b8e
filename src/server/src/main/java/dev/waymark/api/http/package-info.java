/**
 * A small HTTP/1.1 server for admin ports, with limits on what a client may send and leave unread.
 *
 * <p>Out of scope: what is served; routes are given to it. {@code api} and {@code tools} import it.
 * Each connection is confined to its event loop. Start at {@link dev.waymark.api.http.HttpPort}.
 */
@NullMarked
package dev.waymark.api.http;

import org.jspecify.annotations.NullMarked;
