package dev.waymark.tools.bench;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;

/**
 * Two buffers for all connections of an event loop, one to read into and one to write from: what
 * was read is compared at once, and what is written is mostly taken at once. Confined to its loop.
 */
final class LoopBuffers {
  static final int WRITE_BYTES = 64 << 10;

  private final ByteBuf in;
  private final ByteBuf out = Unpooled.directBuffer(WRITE_BYTES, WRITE_BYTES);

  LoopBuffers(int readBytes) {
    in = Unpooled.directBuffer(readBytes, readBytes);
  }

  /** For the channels: a read gets the buffer that all others got, if they have released it. */
  RecvByteBufAllocator receiver() {
    return new Receiver(in);
  }

  /**
   * An empty buffer with room for this much, at most {@link #WRITE_BYTES}; one reference is the
   * caller's.
   */
  ByteBuf forWriting(ByteBufAllocator others, int length) {
    return out.refCnt() == 1 ? out.retain().clear() : others.directBuffer(length, length);
  }

  /** When no channel is left. */
  void release() {
    in.release();
    out.release();
  }

  private static final class Receiver extends DefaultMaxMessagesRecvByteBufAllocator {
    private final ByteBuf in;

    Receiver(ByteBuf in) {
      this.in = in;
    }

    @Override
    @SuppressWarnings("deprecation") // Netty still calls it.
    public Handle newHandle() {
      return new MaxMessageHandle() {
        @Override
        public int guess() {
          return in.capacity();
        }

        @Override
        public ByteBuf allocate(ByteBufAllocator others) {
          return in.refCnt() == 1 ? in.retain().clear() : super.allocate(others);
        }
      };
    }
  }
}
