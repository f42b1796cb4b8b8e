package dev.waymark.protocol.codec;

import dev.waymark.protocol.Check;
import dev.waymark.protocol.SizeLimits;
import io.netty.buffer.ByteBuf;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A growing batch of encoded frames: one byte array that is used again for every message, and the
 * large payloads in their own buffers. Confined to the thread of its lane.
 *
 * <p>Give it to {@code sendMessage} of a call of {@link AttachMethod}: that moves its content into
 * the message and leaves the batch empty. It may be filled again as soon as gRPC has drained the
 * message. The HTTP/2 transports do so before {@code sendMessage} returns, if the call has a real
 * stream: send nothing before the call's headers came or it said ready, and make channels with
 * {@code disableRetry()}. For a transport that may read later, on another thread (grpc-inprocess),
 * call {@link #afterSend} first; filling the batch before is an IllegalStateException.
 */
public final class OutboundBatch {
  /** Payloads from this size on are not copied into the array. */
  static final int KEPT_PAYLOAD_BYTES_MIN = 8 * 1024;

  /** A larger array is dropped once it has been sent. */
  static final int KEPT_ARRAY_BYTES_MAX = 512 * 1024;

  /** A tag of one byte and a length of at most 5. */
  private static final int FRAME_HEAD_BYTES_MAX = 6;

  private static final int ARRAY_BYTES_MIN = 1024;
  private static final int FRAMES_TAG = 1 << 3 | 2;
  private static final byte[] NO_BYTES = {};

  /** A payload that stands before the array's byte {@code at}. */
  record Kept(int at, ByteBuf payload) {}

  private final ArrayList<Kept> kept = new ArrayList<>();
  private byte[] array = NO_BYTES;
  private int arrayBytes;
  private int keptBytes;
  private int frames;

  /** The last one, until its array came back. */
  private @Nullable OutboundMessage message;

  OutboundBatch() {}

  /** The size of the message that it makes now; never above {@link SizeLimits#BATCH_BYTES_MAX}. */
  public int bytes() {
    return arrayBytes + keptBytes;
  }

  /** How many frames it holds. */
  public int frames() {
    return frames;
  }

  /** Whether there is nothing to send. */
  public boolean isEmpty() {
    return frames == 0;
  }

  /**
   * Drops the content and releases the payloads that it keeps; those of a message that gRPC has not
   * taken too. May be called at any time, and again.
   */
  public void release() {
    if (message != null) {
      message.discard();
      reclaim(message);
    }
    releaseAll(kept);
    clear();
  }

  /**
   * To be called when {@code sendMessage} has returned, on transports that may read the message
   * later: if this one does, the message gets a copy of its own, for whatever thread reads it. What
   * gRPC made no message of, because the call has ended, is dropped.
   */
  public void afterSend() {
    if (message != null) {
      message.detach();
    }
    release();
  }

  // --- filling ---

  /**
   * Starts a frame of which exactly as many bytes are to be appended.
   *
   * @throws IllegalStateException if the batch would be larger than a batch may be, or is under way
   */
  void startFrame(int bodyBytes) {
    if (message != null) {
      Check.that(message.isTaken(), "a batch is filled only after its last message was written");
      reclaim(message);
    }
    Check.that(
        bytes() + FRAME_HEAD_BYTES_MAX + bodyBytes <= SizeLimits.BATCH_BYTES_MAX,
        "a batch is sent before it is full");
    reserve(FRAME_HEAD_BYTES_MAX);
    varintField(FRAMES_TAG, bodyBytes);
    frames++;
  }

  void varintField(int tag, long value) {
    reserve(1 + 10);
    array[arrayBytes++] = (byte) tag;
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      array[arrayBytes++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    array[arrayBytes++] = (byte) rest;
  }

  /**
   * Appends tag, length and payload; retains the payload if it is large, so that the caller
   * releases it in any case.
   */
  void payloadField(int tag, ByteBuf payload) {
    int bytes = payload.readableBytes();
    varintField(tag, bytes);
    if (bytes >= KEPT_PAYLOAD_BYTES_MIN) {
      kept.add(new Kept(arrayBytes, payload.retain()));
      keptBytes += bytes;
      return;
    }
    reserve(bytes);
    payload.getBytes(payload.readerIndex(), array, arrayBytes, bytes);
    arrayBytes += bytes;
  }

  void bytesField(int tag, byte[] value) {
    varintField(tag, value.length);
    append(value);
  }

  void append(byte[] value) {
    reserve(value.length);
    System.arraycopy(value, 0, array, arrayBytes, value.length);
    arrayBytes += value.length;
  }

  private void reserve(int bytes) {
    int needed = arrayBytes + bytes;
    if (needed > array.length) {
      array = Arrays.copyOf(array, Math.max(ARRAY_BYTES_MIN, Math.max(needed, 2 * array.length)));
    }
  }

  // --- sending ---

  /** The content as a message that gRPC drains, reads or closes; the batch is empty then. */
  InputStream toMessage() {
    Check.that(message == null || message.isTaken(), "a batch is sent once");
    List<Kept> payloads = kept.isEmpty() ? List.of() : List.copyOf(kept);
    OutboundMessage next = new OutboundMessage(array, arrayBytes, payloads, bytes());
    message = next;
    array = NO_BYTES;
    clear();
    return next;
  }

  private void reclaim(OutboundMessage taken) {
    message = null;
    array = taken.array();
    dropLargeArray();
  }

  private void clear() {
    kept.clear();
    arrayBytes = 0;
    keptBytes = 0;
    frames = 0;
    dropLargeArray();
  }

  private void dropLargeArray() {
    if (array.length > KEPT_ARRAY_BYTES_MAX) {
      array = NO_BYTES;
    }
  }

  static void releaseAll(List<Kept> payloads) {
    for (int i = 0; i < payloads.size(); i++) {
      payloads.get(i).payload.release();
    }
  }
}
