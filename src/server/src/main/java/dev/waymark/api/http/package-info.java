/**
 * A small HTTP/1.1 server for admin ports, with limits on what a client may send and leave unread.
 *
 * <p>Out of scope: what is served; the callers, {@code api} and {@code tools}, pass in the routes.
 * Each connection is confined to its event loop. Start at {@link dev.waymark.api.http.HttpPort}.
 */
@NullMarked
package dev.waymark.api.http;

import org.jspecify.annotations.NullMarked;
