/**
 * What a bridge and an upstream say to each other: marks, close reasons, framing, and the frames of
 * both directions as values. Everything but the frames, which are reused cursors, is immutable.
 *
 * <p>Out of scope: encoding (see {@link dev.waymark.protocol.codec}), and what a frame causes.
 * Every package may import this one. Start at {@link dev.waymark.protocol.Mark}. attach.proto and
 * docs/protocol.md define what frames mean.
 */
@NullMarked
package dev.waymark.protocol;

import org.jspecify.annotations.NullMarked;
