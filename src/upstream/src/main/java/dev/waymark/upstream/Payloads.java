package dev.waymark.upstream;

import com.google.protobuf.ByteString;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.util.function.Function;

/**
 * Converts Netty buffers to and from other types, for users who do not want Netty in their code.
 * Stateless.
 */
final class Payloads {
  private Payloads() {}

  // --- to buffers; the caller owns the result ---

  static ByteBuf copyOf(byte[] bytes) {
    return ByteBufAllocator.DEFAULT.buffer(bytes.length).writeBytes(bytes);
  }

  /** Copies the bytes between position and limit, which do not change. */
  static ByteBuf copyOf(ByteBuffer bytes) {
    return ByteBufAllocator.DEFAULT.buffer(bytes.remaining()).writeBytes(bytes.duplicate());
  }

  /** Shares the bytes, which must not change while the buffer is in use. */
  static ByteBuf wrap(byte[] bytes) {
    return Unpooled.wrappedBuffer(bytes);
  }

  /** Shares the bytes, which must not change while the buffer is in use. */
  static ByteBuf wrap(ByteBuffer bytes) {
    return Unpooled.wrappedBuffer(bytes);
  }

  /** Shares the bytes. */
  static ByteBuf wrap(ByteString bytes) {
    return Unpooled.wrappedBuffer(bytes.asReadOnlyByteBuffer());
  }

  // --- from buffers, which are borrowed ---

  /** Returns a copy. */
  static byte[] toBytes(ByteBuf buffer) {
    return ByteBufUtil.getBytes(buffer);
  }

  /** Returns a read-only view, valid as long as the buffer. */
  static ByteBuffer toByteBuffer(ByteBuf buffer) {
    return buffer.nioBuffer().asReadOnlyBuffer();
  }

  /** Returns a copy. */
  static ByteString toByteString(ByteBuf buffer) {
    return ByteString.copyFrom(buffer.nioBuffer());
  }

  /** Converts a buffer and releases it. */
  static <T> T convertAndRelease(ByteBuf owned, Function<ByteBuf, T> conversion) {
    try {
      return conversion.apply(owned);
    } finally {
      owned.release();
    }
  }
}
