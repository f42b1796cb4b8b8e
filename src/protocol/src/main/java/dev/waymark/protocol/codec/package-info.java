/**
 * Frames and batches as bytes: what goes into and comes out of the Attach call, written by hand for
 * the data path and compatible with the generated classes of attach.proto, which serve for
 * everything rare.
 *
 * <p>Not inside: lanes, windows, threads, channels. Used by the bridge's lanes
 * and by the SDK. Start at {@link dev.waymark.protocol.codec.AttachMethod}. Writers,
 * readers and batches are confined to the thread of their lane; method descriptors are immutable.
 * What the frames mean is in attach.proto and docs/protocol.md.
 */
@NullMarked
package dev.waymark.protocol.codec;

import org.jspecify.annotations.NullMarked;
