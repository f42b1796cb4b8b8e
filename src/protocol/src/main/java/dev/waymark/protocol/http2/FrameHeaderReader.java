package dev.waymark.protocol.http2;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.Http2FrameTypes;

/**
 * Reads the HTTP/2 frame headers in one direction of a connection (RFC 9113, section 4.1) and skips
 * the payloads. Leaves the indices of the buffers alone. Confined to the event loop of its channel.
 *
 * <pre>{@code
 * headers.begin(bytes);
 * while (headers.next()) { … headers.type() … }
 * }</pre>
 */
final class FrameHeaderReader {
  /**
   * The connection preface "PRI * HTTP/2.0…", which a client sends first (RFC 9113, section 3.4).
   */
  static final int PREFACE_BYTES = 24;

  /**
   * The initial SETTINGS_MAX_FRAME_SIZE (RFC 9113, section 6.5.2). A longer frame violates HTTP/2;
   * reporting that is left to the codec.
   */
  static final int FRAME_BYTES_MAX = 16_384;

  private static final int HEADER_BYTES = 9;
  private static final int TYPE_AT = 3;
  private static final int FLAGS_AT = 4;
  private static final int END_STREAM = 0x1;
  private static final int PADDED = 0x8;

  private final boolean isBounded;

  /** The header, plus the Pad Length field of a padded DATA frame. */
  private final byte[] header = new byte[HEADER_BYTES + 1];

  private int headerBytes;
  private int toSkip;
  private boolean isHttp2 = true;
  private ByteBuf bytes = Unpooled.EMPTY_BUFFER;
  private int index;

  private FrameHeaderReader(boolean isFromClient, boolean isBounded) {
    toSkip = isFromClient ? PREFACE_BYTES : 0;
    this.isBounded = isBounded;
  }

  /** For what a peer sends, whose frames may not exceed our maximum. */
  static FrameHeaderReader received(boolean isFromClient) {
    return new FrameHeaderReader(isFromClient, true);
  }

  /** For what we send. */
  static FrameHeaderReader sent(boolean isFromClient) {
    return new FrameHeaderReader(isFromClient, false);
  }

  /**
   * Begins with the next bytes of the stream, which are borrowed until {@link #next} returns false.
   */
  void begin(ByteBuf next) {
    bytes = next;
    index = next.readerIndex();
  }

  /**
   * Moves to the next complete header.
   *
   * @return false at the end of these bytes, and always after an oversized frame
   */
  boolean next() {
    if (headerBytes == headerBytesNeeded()) {
      headerBytes = 0;
    }
    int end = bytes.writerIndex();
    while (index < end && isHttp2) {
      if (toSkip > 0) {
        int skipped = Math.min(toSkip, end - index);
        toSkip -= skipped;
        index += skipped;
        continue;
      }
      int taken = Math.min(headerBytesNeeded() - headerBytes, end - index);
      bytes.getBytes(index, header, headerBytes, taken);
      headerBytes += taken;
      index += taken;
      if (headerBytes == headerBytesNeeded()) {
        toSkip = payloadBytes() - (headerBytes - HEADER_BYTES);
        isHttp2 = !isBounded || payloadBytes() <= FRAME_BYTES_MAX;
        return isHttp2;
      }
    }
    bytes = Unpooled.EMPTY_BUFFER;
    return false;
  }

  private int headerBytesNeeded() {
    boolean isPaddedData =
        headerBytes >= HEADER_BYTES
            && type() == Http2FrameTypes.DATA
            && (header[FLAGS_AT] & PADDED) != 0
            && payloadBytes() > 0;
    return isPaddedData ? HEADER_BYTES + 1 : HEADER_BYTES;
  }

  // --- the header ---

  byte type() {
    return header[TYPE_AT];
  }

  int payloadBytes() {
    return (header[0] & 0xff) << 16 | (header[1] & 0xff) << 8 | (header[2] & 0xff);
  }

  /**
   * For DATA: the size of the payload without padding; negative if the peer claims too much
   * padding.
   */
  int contentBytes() {
    int padding = headerBytes > HEADER_BYTES ? 1 + (header[HEADER_BYTES] & 0xff) : 0;
    return payloadBytes() - padding;
  }

  /** For DATA and HEADERS: whether the frame ends its stream. */
  boolean isEndOfStream() {
    return (header[FLAGS_AT] & END_STREAM) != 0;
  }
}
