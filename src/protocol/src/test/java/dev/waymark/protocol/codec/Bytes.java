package dev.waymark.protocol.codec;

import io.grpc.Drainable;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;

/** Byte helpers for the tests of this package. */
final class Bytes {
  private Bytes() {}

  /** A pooled direct buffer with the content of {@link #ofLength}. */
  static ByteBuf direct(int bytes) {
    return direct(ofLength(bytes));
  }

  /** Content in which every byte depends on its position. */
  static byte[] ofLength(int bytes) {
    byte[] content = new byte[bytes];
    for (int i = 0; i < bytes; i++) {
      content[i] = (byte) (i * 31 + (i >> 8));
    }
    return content;
  }

  static ByteBuf direct(byte[] content) {
    return ByteBufAllocator.DEFAULT.directBuffer(content.length).writeBytes(content);
  }

  static byte[] copyOf(ByteBuf buffer) {
    return ByteBufUtil.getBytes(buffer);
  }

  /** Sends the batch as gRPC does. */
  static byte[] drain(OutboundBatch batch) throws IOException {
    var target = new ByteArrayOutputStream();
    try (InputStream message = batch.toMessage()) {
      ((Drainable) message).drainTo(target);
    }
    return target.toByteArray();
  }
}
