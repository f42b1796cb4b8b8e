/**
 * The codec: frames and batches to and from the bytes of the Attach call. The data path is
 * hand-written and wire-compatible with the classes generated from attach.proto; those encode
 * everything rare.
 *
 * <p>Out of scope: lanes, windows, threads, channels. Used by the bridge's lanes and by the SDK.
 * Start at {@link dev.waymark.protocol.codec.AttachMethod}. Writers, readers and batches are
 * confined to the thread of their lane; method descriptors are immutable. attach.proto and
 * docs/protocol.md define what frames mean.
 */
@NullMarked
package dev.waymark.protocol.codec;

import org.jspecify.annotations.NullMarked;
