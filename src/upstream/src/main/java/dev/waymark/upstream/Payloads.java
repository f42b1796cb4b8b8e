package dev.waymark.upstream;

import com.google.protobuf.ByteString;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.util.function.Function;

/** Buffers as the types of those who do not want Netty in their code, and back. Stateless. */
final class Payloads {
  private Payloads() {}

  // --- to buffers; the caller owns the result ---

  static ByteBuf copyOf(byte[] bytes) {
    return ByteBufAllocator.DEFAULT.buffer(bytes.length).writeBytes(bytes);
  }

  /** Of what is between position and limit, which stay. */
  static ByteBuf copyOf(ByteBuffer bytes) {
    return ByteBufAllocator.DEFAULT.buffer(bytes.remaining()).writeBytes(bytes.duplicate());
  }

  /** Shares the bytes, which must not change as long as the buffer lives. */
  static ByteBuf wrap(byte[] bytes) {
    return Unpooled.wrappedBuffer(bytes);
  }

  /** Shares the bytes, which must not change as long as the buffer lives. */
  static ByteBuf wrap(ByteBuffer bytes) {
    return Unpooled.wrappedBuffer(bytes);
  }

  /** Shares the bytes. */
  static ByteBuf wrap(ByteString bytes) {
    return Unpooled.wrappedBuffer(bytes.asReadOnlyByteBuffer());
  }

  // --- from buffers; they stay the caller's ---

  /** A copy. */
  static byte[] toBytes(ByteBuf buffer) {
    return ByteBufUtil.getBytes(buffer);
  }

  /** A view that cannot be written through; valid as long as the buffer. */
  static ByteBuffer toByteBuffer(ByteBuf buffer) {
    return buffer.nioBuffer().asReadOnlyBuffer();
  }

  /** A copy. */
  static ByteString toByteString(ByteBuf buffer) {
    return ByteString.copyFrom(buffer.nioBuffer());
  }

  /** Turns a buffer into something else and releases it. */
  static <T> T released(ByteBuf owned, Function<ByteBuf, T> conversion) {
    try {
      return conversion.apply(owned);
    } finally {
      owned.release();
    }
  }
}
