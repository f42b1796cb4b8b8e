package dev.waymark.wire;

import dev.waymark.core.Limits;
import io.grpc.HasByteBuffer;
import io.grpc.KnownLength;
import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;

/**
 * One message that came in, in a pooled direct buffer of its own. Whoever gets it releases it once;
 * slices that were retained live on. Confined to the thread of its lane.
 */
public final class InboundBatch {
  /**
   * What a peer that counts a batch's bytes in another way may send beyond {@link
   * Limits#BATCH_BYTES_MAX}.
   */
  static final int SLACK_BYTES = Limits.PAYLOAD_BYTES_MAX;

  static final int BYTES_MAX = Limits.BATCH_BYTES_MAX + SLACK_BYTES;

  private static final int CHUNK_BYTES = 16 * 1024;

  private final ByteBuf content;

  private InboundBatch(ByteBuf owned) {
    content = owned;
  }

  /**
   * Copies a whole message; the stream stays the caller's.
   *
   * @throws io.grpc.StatusRuntimeException RESOURCE_EXHAUSTED if it is too large, INTERNAL if it
   *     cannot be read
   */
  static InboundBatch copyOf(InputStream message) {
    ByteBuf content = null;
    boolean isWhole = false;
    try {
      int bytes = message instanceof KnownLength ? message.available() : CHUNK_BYTES;
      if (bytes > BYTES_MAX) {
        throw tooLarge();
      }
      content = ByteBufAllocator.DEFAULT.directBuffer(bytes);
      copyBuffers(message, content);
      copyRest(message, content);
      isWhole = true;
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

  /** All that came; what was not read of it yet is between its indices. Owned by this batch. */
  public ByteBuf content() {
    return content;
  }

  /** Gives the buffer back, if no retained slice is left. */
  public void release() {
    content.release();
  }

  /** From the transport's own buffers; stops at the first that has none to show. */
  private static void copyBuffers(InputStream message, ByteBuf content) throws IOException {
    if (!(message instanceof HasByteBuffer buffers) || !buffers.byteBufferSupported()) {
      return;
    }
    while (message.available() > 0) {
      ByteBuffer next = buffers.getByteBuffer();
      if (next == null || !next.hasRemaining()) {
        return;
      }
      int bytes = next.remaining();
      demandRoom(content, bytes);
      content.writeBytes(next);
      message.skipNBytes(bytes);
    }
  }

  private static void copyRest(InputStream message, ByteBuf content) throws IOException {
    boolean isLengthKnown = message instanceof KnownLength;
    int bytes = isLengthKnown ? message.available() : CHUNK_BYTES;
    while (bytes > 0 && content.writeBytes(message, bytes) >= 0) {
      demandRoom(content, 0);
      bytes = isLengthKnown ? message.available() : CHUNK_BYTES;
    }
  }

  private static void demandRoom(ByteBuf content, int bytes) {
    if (content.readableBytes() + bytes > BYTES_MAX) {
      throw tooLarge();
    }
  }

  private static RuntimeException tooLarge() {
    return Status.RESOURCE_EXHAUSTED
        .withDescription("a batch of more than " + Limits.BATCH_BYTES_MAX + " bytes")
        .asRuntimeException();
  }
}
