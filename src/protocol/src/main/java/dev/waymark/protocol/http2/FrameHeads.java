package dev.waymark.protocol.http2;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.Http2FrameTypes;

/**
 * Reads the frame headers in one direction of a connection (RFC 9113, section 4.1) and skips the
 * payloads by their length. Consumes nothing. Confined to the event loop of its channel.
 *
 * <pre>{@code
 * heads.begin(bytes);
 * while (heads.next()) { … heads.type() … }
 * }</pre>
 */
final class FrameHeads {
  /** "PRI * HTTP/2.0…", with which a client begins (RFC 9113, section 3.4). */
  private static final int PREFACE_BYTES = 24;

  /**
   * The initial SETTINGS_MAX_FRAME_SIZE (RFC 9113, section 6.5.2). What exceeds it is not HTTP/2,
   * and the codec says so.
   */
  private static final int FRAME_BYTES_MAX = 16_384;

  private static final int HEAD_BYTES = 9;
  private static final int TYPE_AT = 3;
  private static final int FLAGS_AT = 4;
  private static final int END_STREAM = 0x1;
  private static final int PADDED = 0x8;

  private final boolean isBounded;

  /** The header, and the Pad Length of DATA that is padded. */
  private final byte[] head = new byte[HEAD_BYTES + 1];

  private int headBytes;
  private int toSkip;
  private boolean isHttp2 = true;
  private ByteBuf bytes = Unpooled.EMPTY_BUFFER;
  private int index;

  private FrameHeads(boolean isFromClient, boolean isBounded) {
    toSkip = isFromClient ? PREFACE_BYTES : 0;
    this.isBounded = isBounded;
  }

  /** For what a peer sends: frames are no longer than we allow. */
  static FrameHeads received(boolean isFromClient) {
    return new FrameHeads(isFromClient, true);
  }

  /** For what we send. */
  static FrameHeads sent(boolean isFromClient) {
    return new FrameHeads(isFromClient, false);
  }

  /** The next bytes of the stream; borrowed until {@link #next} returns false. */
  void begin(ByteBuf next) {
    bytes = next;
    index = next.readerIndex();
  }

  /**
   * Goes to the next complete header.
   *
   * @return false at the end of these bytes, and always once they are not HTTP/2
   */
  boolean next() {
    if (headBytes == headBytesWanted()) {
      headBytes = 0;
    }
    int end = bytes.writerIndex();
    while (index < end && isHttp2) {
      if (toSkip > 0) {
        int skipped = Math.min(toSkip, end - index);
        toSkip -= skipped;
        index += skipped;
        continue;
      }
      int taken = Math.min(headBytesWanted() - headBytes, end - index);
      bytes.getBytes(index, head, headBytes, taken);
      headBytes += taken;
      index += taken;
      if (headBytes == headBytesWanted()) {
        toSkip = payloadBytes() - (headBytes - HEAD_BYTES);
        isHttp2 = !isBounded || payloadBytes() <= FRAME_BYTES_MAX;
        return isHttp2;
      }
    }
    bytes = Unpooled.EMPTY_BUFFER;
    return false;
  }

  private int headBytesWanted() {
    boolean isPaddedData =
        headBytes >= HEAD_BYTES
            && type() == Http2FrameTypes.DATA
            && (head[FLAGS_AT] & PADDED) != 0
            && payloadBytes() > 0;
    return isPaddedData ? HEAD_BYTES + 1 : HEAD_BYTES;
  }

  // --- the header ---

  byte type() {
    return head[TYPE_AT];
  }

  int payloadBytes() {
    return (head[0] & 0xff) << 16 | (head[1] & 0xff) << 8 | (head[2] & 0xff);
  }

  /** Of DATA: the payload without padding; negative if a peer lies. */
  int contentBytes() {
    int padding = headBytes > HEAD_BYTES ? 1 + (head[HEAD_BYTES] & 0xff) : 0;
    return payloadBytes() - padding;
  }

  /** Of DATA and HEADERS. */
  boolean isEndOfStream() {
    return (head[FLAGS_AT] & END_STREAM) != 0;
  }
}
