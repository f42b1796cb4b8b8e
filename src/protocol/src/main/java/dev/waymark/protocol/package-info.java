/**
 * The vocabulary of the Attach protocol: marks, close reasons, framing, and the frames of both
 * directions as values. Everything is immutable except the frames, which are reused cursors.
 *
 * <p>Out of scope: encoding (see {@link dev.waymark.protocol.codec}), and acting on frames. Every
 * package may import this one. Start at {@link dev.waymark.protocol.Mark}. attach.proto and
 * docs/protocol.md define what frames mean.
 */
@NullMarked
package dev.waymark.protocol;

import org.jspecify.annotations.NullMarked;
