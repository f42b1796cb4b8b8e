/**
 * The bytes of one connection: those of the client, which may have to be sent again, the replies of
 * the owner, and the pushes between replies (rules 1 to 6).
 *
 * <p>Out of scope: who the owner is, when anything ends, memory budgets. These machines call only
 * the client's socket, {@link dev.waymark.engine.stream.ClientSocket}, which {@code net.listener}
 * implements. Confined to the shard's thread. Start at {@link
 * dev.waymark.engine.stream.ClientStream}, then {@link dev.waymark.engine.stream.ReplyDirection}.
 */
@NullMarked
package dev.waymark.engine.stream;

import org.jspecify.annotations.NullMarked;
