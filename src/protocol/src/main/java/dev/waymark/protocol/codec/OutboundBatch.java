package dev.waymark.protocol.codec;

import dev.waymark.protocol.Check;
import dev.waymark.protocol.SizeLimits;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.CompositeByteBuf;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A growing batch of encoded frames: one byte array, reused for every message, plus large payloads
 * in their own buffers. Confined to the thread of its lane.
 *
 * <p>The bridge sends what {@link #takeMessage} returns. On a call of grpc-java, pass the batch to
 * {@code sendMessage} with {@link AttachMethod}: this moves the content into the message and leaves
 * the batch empty. The batch may be refilled as soon as gRPC has drained the message; refilling it
 * earlier throws IllegalStateException. The HTTP/2 transports drain before {@code sendMessage}
 * returns, provided that the call has a real stream: send nothing before the call's headers have
 * arrived or the call is ready, and build channels with {@code disableRetry()}. With a transport
 * that may read later, on another thread (grpc-inprocess), call {@link #afterSend} before
 * refilling.
 */
public final class OutboundBatch {
  /** Payloads of this size and above are retained instead of copied into the array. */
  static final int KEPT_PAYLOAD_BYTES_MIN = 8 * 1024;

  /** Arrays larger than this are dropped after sending. */
  static final int KEPT_ARRAY_BYTES_MAX = 512 * 1024;

  /** A one-byte tag and a length of at most 5 bytes. */
  private static final int FRAME_HEAD_BYTES_MAX = 6;

  private static final int ARRAY_BYTES_MIN = 1024;
  private static final int FRAMES_TAG = 1 << 3 | 2;
  private static final byte[] NO_BYTES = {};

  /** A retained payload that goes in front of the array's byte {@code at}. */
  record Kept(int at, ByteBuf payload) {}

  private final ArrayList<Kept> kept = new ArrayList<>();
  private byte[] array = NO_BYTES;
  private int arrayBytes;
  private int keptBytes;
  private int frames;

  /** The last message, until its array is reclaimed. */
  private @Nullable OutboundMessage message;

  OutboundBatch() {}

  /** The size of the message that would be sent now; at most {@link SizeLimits#BATCH_BYTES_MAX}. */
  public int bytes() {
    return arrayBytes + keptBytes;
  }

  /** The number of frames. */
  public int frames() {
    return frames;
  }

  /** Whether the batch has no frames. */
  public boolean isEmpty() {
    return frames == 0;
  }

  /**
   * Drops the content and releases retained payloads, including those of a message that gRPC has
   * not drained. May be called at any time and repeatedly.
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
   * Call this after {@code sendMessage} on transports that may read the message later. If this one
   * has not read it yet, the message gets its own copy, readable by any thread. Drops the content
   * if gRPC did not take it because the call has ended.
   */
  public void afterSend() {
    if (message != null) {
      message.detach();
    }
    release();
  }

  // --- filling ---

  /**
   * Starts a frame; the caller must append exactly this many bytes.
   *
   * @throws IllegalStateException if the batch would become too large, or its last message has not
   *     been drained
   */
  void startFrame(int bodyBytes) {
    if (message != null) {
      Check.that(message.isTaken(), "a batch is refilled only after its last message was drained");
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
   * Appends tag, length and payload. Retains a large payload, so the caller releases its own
   * reference either way.
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

  /**
   * Moves the content into a message that gRPC drains, reads or closes, and leaves the batch empty.
   */
  InputStream toMessage() {
    Check.that(message == null || message.isTaken(), "a batch is sent once");
    List<Kept> payloads = kept.isEmpty() ? List.of() : List.copyOf(kept);
    OutboundMessage next = new OutboundMessage(array, arrayBytes, payloads, bytes());
    message = next;
    array = NO_BYTES;
    clear();
    return next;
  }

  /**
   * Moves the content into one message of a gRPC stream, prefix included, and leaves the batch
   * empty.
   *
   * @return owned by the caller; includes retained payloads without copying them
   */
  public ByteBuf takeMessage(ByteBufAllocator allocator) {
    ByteBuf heads = allocator.directBuffer(BatchStream.PREFIX_BYTES + arrayBytes);
    heads.writeByte(0).writeInt(bytes()).writeBytes(array, 0, arrayBytes);
    ByteBuf whole = kept.isEmpty() ? heads : interleaved(heads, allocator);
    clear();
    return whole;
  }

  private CompositeByteBuf interleaved(ByteBuf ownedHeads, ByteBufAllocator allocator) {
    // Netty's HTTP/2 codec appends later messages to this buffer while io_uring still reads its
    // first part. With a bound on the components that would replace, and free, their memory.
    CompositeByteBuf whole = allocator.compositeDirectBuffer(Integer.MAX_VALUE);
    int written = 0;
    for (int i = 0; i < kept.size(); i++) {
      Kept next = kept.get(i);
      int at = BatchStream.PREFIX_BYTES + next.at();
      whole.addComponent(true, ownedHeads.retainedSlice(written, at - written));
      whole.addComponent(true, next.payload());
      written = at;
    }
    ByteBuf rest = ownedHeads.slice(written, ownedHeads.writerIndex() - written);
    return whole.addComponent(true, rest);
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
