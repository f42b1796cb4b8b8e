/**
 * What a bridge and an upstream say to each other: marks, close reasons, framing, and the frames of
 * both directions as values. Immutable, for any thread; a frame that carries bytes holds one
 * reference to its buffer.
 *
 * <p>Not inside: bytes (see {@link dev.waymark.protocol.codec}), and what a frame does. Everybody
 * may import it. Start at {@link dev.waymark.protocol.Mark}. What the frames mean is in
 * attach.proto and docs/protocol.md.
 */
@NullMarked
package dev.waymark.protocol;

import org.jspecify.annotations.NullMarked;
