package dev.waymark.protocol.codec;

import dev.waymark.protocol.SizeLimits;
import io.grpc.HasByteBuffer;
import io.grpc.KnownLength;
import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;

/**
 * One received message, in its own pooled direct buffer. The receiver releases it once; retained
 * slices stay valid. Confined to the thread of its lane.
 */
public final class InboundBatch {
  private static final int CHUNK_BYTES = 16 * 1024;

  private static final InboundBatch TOO_LARGE = new InboundBatch(Unpooled.EMPTY_BUFFER);

  private final ByteBuf content;

  private InboundBatch(ByteBuf owned) {
    content = owned;
  }

  /**
   * Copies a whole message; does not close the stream. A message that is too large is dropped and
   * reported by {@link #content}: an exception here would let a peer fill the log with stack
   * traces.
   *
   * @throws io.grpc.StatusRuntimeException INTERNAL if the stream cannot be read
   */
  static InboundBatch copyOf(InputStream message) {
    ByteBuf content = null;
    boolean isWhole = false;
    try {
      int bytes = message instanceof KnownLength ? message.available() : CHUNK_BYTES;
      if (bytes > SizeLimits.BATCH_BYTES_MAX) {
        return TOO_LARGE;
      }
      content = ByteBufAllocator.DEFAULT.directBuffer(bytes);
      isWhole = copyBuffers(message, content) && copyRest(message, content);
      if (!isWhole) {
        return TOO_LARGE;
      }
      return new InboundBatch(content);
    } catch (IOException e) {
      throw Status.INTERNAL
          .withDescription("a batch cannot be read")
          .withCause(e)
          .asRuntimeException();
    } finally {
      if (!isWhole && content != null) {
        content.release();
      }
    }
  }

  /**
   * The message. Its indices delimit what has not been read yet. Owned by this batch.
   *
   * @throws MalformedFrameException if the message was larger than {@link
   *     SizeLimits#BATCH_BYTES_MAX}
   */
  public ByteBuf content() throws MalformedFrameException {
    if (this == TOO_LARGE) {
      throw MalformedFrameException.BATCH_TOO_LARGE;
    }
    return content;
  }

  /** Releases the buffer, which returns to its pool once all retained slices are released too. */
  public void release() {
    content.release();
  }

  /**
   * Copies from the transport's own buffers, as far as it exposes them.
   *
   * @return false if the message is too large
   */
  private static boolean copyBuffers(InputStream message, ByteBuf content) throws IOException {
    if (!(message instanceof HasByteBuffer buffers) || !buffers.byteBufferSupported()) {
      return true;
    }
    while (message.available() > 0) {
      ByteBuffer next = buffers.getByteBuffer();
      if (next == null || !next.hasRemaining()) {
        return true;
      }
      int bytes = next.remaining();
      if (content.readableBytes() + bytes > SizeLimits.BATCH_BYTES_MAX) {
        return false;
      }
      content.writeBytes(next);
      message.skipNBytes(bytes);
    }
    return true;
  }

  /**
   * Copies what {@link #copyBuffers} left, by reading the stream.
   *
   * @return false if the message is too large
   */
  private static boolean copyRest(InputStream message, ByteBuf content) throws IOException {
    boolean isLengthKnown = message instanceof KnownLength;
    int bytes = isLengthKnown ? message.available() : CHUNK_BYTES;
    while (bytes > 0 && content.writeBytes(message, bytes) >= 0) {
      if (content.readableBytes() > SizeLimits.BATCH_BYTES_MAX) {
        return false;
      }
      bytes = isLengthKnown ? message.available() : CHUNK_BYTES;
    }
    return true;
  }
}
