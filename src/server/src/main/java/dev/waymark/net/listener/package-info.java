/**
 * The front: sockets of clients, and where their streams are cut into messages. Out of scope: what
 * becomes of the bytes. Everything here is confined to the event loop of its connection. Start at
 * {@link dev.waymark.net.listener.Framer}.
 */
@NullMarked
package dev.waymark.net.listener;

import org.jspecify.annotations.NullMarked;
