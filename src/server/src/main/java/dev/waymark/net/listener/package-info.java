/**
 * Client sockets: accepts them and cuts their streams into messages. Out of scope: what happens to
 * the bytes. Everything here is confined to the event loop of its connection. Start at {@link
 * dev.waymark.net.listener.ClientHandler}.
 */
@NullMarked
package dev.waymark.net.listener;

import org.jspecify.annotations.NullMarked;
