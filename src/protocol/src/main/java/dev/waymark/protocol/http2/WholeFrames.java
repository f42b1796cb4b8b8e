package dev.waymark.protocol.http2;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.Http2CodecUtil;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Cuts what a peer sends at the ends of HTTP/2 frames. Netty's decoder appends a buffer to the
 * incomplete frame that it has left, which copies all of it; here only the frame that a buffer cuts
 * off is copied. Confined to the event loop of its channel.
 */
final class WholeFrames {
  private static final int HEADER_BYTES = Http2CodecUtil.FRAME_HEADER_LENGTH;

  private final int frameBytesMax;

  /** What comes before the first frame. */
  private int prefaceBytesLeft;

  /** Once true, everything is passed on as it comes: the decoder will refuse it. */
  private boolean isInvalid;

  /** The beginning of a frame that the last buffer cut off. */
  private @Nullable ByteBuf cutFrame;

  /**
   * @param prefaceBytes the size of the peer's preface, which comes before the first frame
   * @param frameBytesMax the largest payload that the peer may send in a frame
   */
  WholeFrames(int prefaceBytes, int frameBytesMax) {
    this.prefaceBytesLeft = prefaceBytes;
    this.frameBytesMax = frameBytesMax;
  }

  /**
   * Called with bytes from the peer.
   *
   * @param owned by this method
   * @param whole gets buffers that end where a frame ends, which it owns
   */
  void cut(ChannelHandlerContext context, ByteBuf owned, Consumer<ByteBuf> whole) {
    int start = owned.readerIndex();
    if (cutFrame != null) {
      complete(cutFrame, owned, whole);
    }
    int end = wholeEnd(owned);
    if (end == owned.writerIndex() && owned.readerIndex() == start) {
      whole.accept(owned);
      return;
    }
    if (end > owned.readerIndex()) {
      whole.accept(owned.readRetainedSlice(end - owned.readerIndex()));
    }
    if (owned.isReadable()) {
      cutFrame = context.alloc().directBuffer(frameBytes(owned)).writeBytes(owned);
    }
    owned.release();
  }

  private int frameBytes(ByteBuf beginning) {
    boolean isSizeKnown = beginning.readableBytes() >= HEADER_BYTES;
    int payloadBytes =
        isSizeKnown ? beginning.getUnsignedMedium(beginning.readerIndex()) : frameBytesMax;
    return HEADER_BYTES + payloadBytes;
  }

  /** Drops the beginning of a frame whose end has not come. */
  void release() {
    if (cutFrame != null) {
      cutFrame.release();
      cutFrame = null;
    }
  }

  private void complete(ByteBuf frame, ByteBuf next, Consumer<ByteBuf> whole) {
    if (frame.readableBytes() < HEADER_BYTES) {
      take(frame, next, HEADER_BYTES);
    }
    if (frame.readableBytes() >= HEADER_BYTES) {
      int payloadBytes = frame.getUnsignedMedium(0);
      isInvalid = payloadBytes > frameBytesMax;
      if (isInvalid || take(frame, next, HEADER_BYTES + payloadBytes)) {
        cutFrame = null;
        whole.accept(frame);
      }
    }
  }

  /** Adds bytes to the frame until it has this many; returns whether it does. */
  private static boolean take(ByteBuf frame, ByteBuf next, int bytes) {
    frame.writeBytes(next, Math.min(bytes - frame.readableBytes(), next.readableBytes()));
    return frame.readableBytes() == bytes;
  }

  /** Returns the index after the last complete frame. */
  private int wholeEnd(ByteBuf bytes) {
    int skipped = Math.min(prefaceBytesLeft, bytes.readableBytes());
    prefaceBytesLeft -= skipped;
    int end = bytes.readerIndex() + skipped;
    while (!isInvalid && bytes.writerIndex() - end >= HEADER_BYTES) {
      int payloadBytes = bytes.getUnsignedMedium(end);
      isInvalid = payloadBytes > frameBytesMax;
      if (bytes.writerIndex() - end - HEADER_BYTES < payloadBytes) {
        break;
      }
      end += HEADER_BYTES + payloadBytes;
    }
    return isInvalid ? bytes.writerIndex() : end;
  }
}
