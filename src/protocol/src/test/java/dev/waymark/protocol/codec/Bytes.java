package dev.waymark.protocol.codec;

import io.grpc.Drainable;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;

/** What the tests of this package do with bytes. */
final class Bytes {
  private Bytes() {}

  /** Pooled, with bytes that tell their place. */
  static ByteBuf direct(int bytes) {
    return direct(ofLength(bytes));
  }

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
