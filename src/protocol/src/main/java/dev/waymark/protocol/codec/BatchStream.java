package dev.waymark.protocol.codec;

import dev.waymark.protocol.SizeLimits;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Reads the batches of a gRPC stream as their bytes arrive.
 *
 * <p><b>The problem.</b> A batch arrives in DATA frames, which are cut without regard to it: a DATA
 * frame may hold several batches, and a batch may need a hundred DATA frames. Collecting a whole
 * batch first would copy every byte.
 *
 * <p><b>The idea.</b> A batch is a sequence of fields, one for each Attach frame. All fields that a
 * DATA frame holds completely are read where they are. Only a field that goes on in the next DATA
 * frame is copied, together with the bytes that complete it, and nothing else.
 *
 * <p><b>What bounds it.</b> A field ends with its message at the latest, and a message is at most
 * {@link SizeLimits#BATCH_BYTES_MAX}; the copy grows with what has arrived, not with what the peer
 * announces.
 *
 * <pre>{@code
 * stream.begin(data);
 * for (ByteBuf fields; (fields = stream.next()) != null; ) {
 *   while (reader.read(fields, frame)) { … }
 * }
 * }</pre>
 *
 * <p>Confined to the thread of its lane. {@link #release} it at the end.
 */
public final class BatchStream {
  /** The Compressed-Flag and the Message-Length (gRPC over HTTP/2, "Length-Prefixed-Message"). */
  public static final int PREFIX_BYTES = 5;

  /** The most bytes that are reserved for a field before they have arrived. */
  private static final int RESERVED_BYTES_MAX = SizeLimits.PAYLOAD_BYTES_MAX + 1024;

  private static final int WIRE_TYPE_MASK = 7;
  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int DELIMITED = 2;
  private static final int GROUP_START = 3;
  private static final int FIXED32 = 5;
  private static final int VARINT_BYTES_MAX = 10;

  private final ByteBufAllocator allocator;
  private ByteBuf data = Unpooled.EMPTY_BUFFER;

  /** How many bytes of the current message's prefix have arrived. */
  private int prefixBytes;

  /** The prefix without its first byte. */
  private long messageBytes;

  /** The bytes of the current message that have not been taken from the data. */
  private int messageBytesLeft;

  /** The beginning of a field that the last DATA frame cut off; null if it cut none. */
  private @Nullable ByteBuf cutField;

  /** A completed field, until the next call. */
  private @Nullable ByteBuf completed;

  /**
   * @param allocator for copies of fields
   */
  public BatchStream(ByteBufAllocator allocator) {
    this.allocator = allocator;
  }

  /**
   * Begins with the content of the next DATA frame.
   *
   * @param borrowed until {@link #next} returns null; its reader index moves
   */
  public void begin(ByteBuf borrowed) {
    data = borrowed;
  }

  /**
   * Returns the next complete fields, at least one, for a frame reader; valid until the next call.
   * Retained slices of them stay valid.
   *
   * @return null if the rest has not arrived
   * @throws MalformedFrameException if the data is not a sequence of uncompressed messages of at
   *     most {@link SizeLimits#BATCH_BYTES_MAX} bytes; nothing more can be read then
   */
  public @Nullable ByteBuf next() throws MalformedFrameException {
    releaseCompleted();
    while (data.isReadable()) {
      ByteBuf fields =
          messageBytesLeft == 0 ? readPrefix() : cutField == null ? wholeFields() : cutField();
      if (fields != null) {
        return fields;
      }
    }
    data = Unpooled.EMPTY_BUFFER;
    return null;
  }

  /** Releases what is held for data that has not arrived. */
  public void release() {
    releaseCompleted();
    if (cutField != null) {
      cutField.release();
      cutField = null;
    }
    data = Unpooled.EMPTY_BUFFER;
  }

  private void releaseCompleted() {
    if (completed != null) {
      completed.release();
      completed = null;
    }
  }

  /** Reads a byte of the prefix, which may be cut off too. */
  private @Nullable ByteBuf readPrefix() throws MalformedFrameException {
    int next = data.readUnsignedByte();
    if (prefixBytes++ == 0) {
      if (next != 0) {
        throw MalformedFrameException.COMPRESSED;
      }
      messageBytes = 0;
      return null;
    }
    messageBytes = messageBytes << Byte.SIZE | next;
    if (prefixBytes == PREFIX_BYTES) {
      prefixBytes = 0;
      if (messageBytes > SizeLimits.BATCH_BYTES_MAX) {
        throw MalformedFrameException.BATCH_TOO_LARGE;
      }
      messageBytesLeft = (int) messageBytes;
    }
    return null;
  }

  /** Takes the fields that the data holds completely, or else the beginning of the cut one. */
  private @Nullable ByteBuf wholeFields() throws MalformedFrameException {
    int start = data.readerIndex();
    int end = start + Math.min(data.readableBytes(), messageBytesLeft);
    int missing = messageBytesLeft - (end - start);
    int wholeEnd = start;
    int next = 0;
    while (wholeEnd < end && (next = fieldBytes(data, wholeEnd, end, missing)) <= end - wholeEnd) {
      wholeEnd += next;
    }
    if (wholeEnd > start) {
      messageBytesLeft -= wholeEnd - start;
      return data.readSlice(wholeEnd - start);
    }
    cutField = allocator.directBuffer(Math.min(next, RESERVED_BYTES_MAX));
    take(cutField, end - start);
    return null;
  }

  /** Takes what completes the cut field. */
  private @Nullable ByteBuf cutField() throws MalformedFrameException {
    ByteBuf field = Objects.requireNonNull(cutField);
    int bytes;
    while ((bytes = fieldBytes(field, 0, field.writerIndex(), messageBytesLeft))
        > field.writerIndex()) {
      if (!data.isReadable()) {
        return null;
      }
      take(field, Math.min(bytes - field.writerIndex(), data.readableBytes()));
    }
    cutField = null;
    completed = field;
    return field;
  }

  private void take(ByteBuf field, int bytes) {
    field.writeBytes(data, bytes);
    messageBytesLeft -= bytes;
  }

  /**
   * Returns the size of a field, or, if not even that has arrived, one byte more than has. A field
   * that is invalid counts as complete: its reader will say what is wrong.
   *
   * @param missing the bytes of the message that follow the end
   * @throws MalformedFrameException if the field goes beyond its message
   */
  private static int fieldBytes(ByteBuf buffer, int start, int end, int missing)
      throws MalformedFrameException {
    int tagBytes = varintBytes(buffer, start, end);
    int valueAt = start + tagBytes;
    long bytes =
        valueAt > end
            ? end - start + 1
            : switch (buffer.getByte(start) & WIRE_TYPE_MASK) {
              case VARINT -> tagBytes + varintBytes(buffer, valueAt, end);
              case FIXED64 -> tagBytes + Long.BYTES;
              case FIXED32 -> tagBytes + Integer.BYTES;
              case DELIMITED -> tagBytes + delimitedBytes(buffer, valueAt, end);
              // Where a group ends is known only at its end; nobody sends any.
              case GROUP_START -> end - start + missing;
              default -> tagBytes;
            };
    if (bytes > end - start + missing) {
      throw MalformedFrameException.TRUNCATED;
    }
    return (int) bytes;
  }

  /** Returns the size of a length and the bytes that follow it. */
  private static long delimitedBytes(ByteBuf buffer, int start, int end) {
    int lengthBytes = varintBytes(buffer, start, end);
    if (lengthBytes > end - start) {
      return lengthBytes;
    }
    long length = 0;
    for (int i = lengthBytes - 1; i >= 0; i--) {
      length = length << 7 | (buffer.getByte(start + i) & 0x7f);
    }
    // Negative as a signed number: longer than any message.
    return length < 0 || length > Integer.MAX_VALUE ? Integer.MAX_VALUE : lengthBytes + length;
  }

  /** Returns the size of a varint; one byte more than has arrived, if it does not end before. */
  private static int varintBytes(ByteBuf buffer, int start, int end) {
    int bytes = 1;
    while (bytes <= end - start
        && buffer.getByte(start + bytes - 1) < 0
        && bytes < VARINT_BYTES_MAX) {
      bytes++;
    }
    return bytes;
  }
}
