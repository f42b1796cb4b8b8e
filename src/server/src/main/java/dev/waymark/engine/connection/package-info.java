/**
 * One client from accept to close: who owns it, how it gets from one owner to the next, whether the
 * owner works, and when and why it ends (rules 3 and 7 to 9).
 *
 * <p>Out of scope: lanes, and the choice of the owner. A connection sees its owner as {@link
 * dev.waymark.engine.connection.Owner} and everything above it as {@link
 * dev.waymark.engine.connection.ConnectionHost}. May be imported by the packages of the engine
 * above it and by the edge. Confined to the shard's thread. Start at {@link
 * dev.waymark.engine.connection.Connection}.
 */
@NullMarked
package dev.waymark.engine.connection;

import org.jspecify.annotations.NullMarked;
