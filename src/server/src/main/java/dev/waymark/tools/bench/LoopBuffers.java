package dev.waymark.tools.bench;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;

/**
 * Two buffers shared by all connections of an event loop, one for reading and one for writing. That
 * suffices because reads are checked at once and writes mostly complete at once. Confined to its
 * loop.
 */
final class LoopBuffers {
  static final int WRITE_BYTES = 64 << 10;

  private final ByteBuf in;
  private final ByteBuf out = Unpooled.directBuffer(WRITE_BYTES, WRITE_BYTES);

  LoopBuffers(int readBytes) {
    in = Unpooled.directBuffer(readBytes, readBytes);
  }

  /** The allocator for the channels' reads: returns the shared buffer unless it is still in use. */
  RecvByteBufAllocator receiver() {
    return new Receiver(in);
  }

  /**
   * Returns an empty buffer with room for this many bytes, at most {@link #WRITE_BYTES}. The caller
   * owns one reference.
   */
  ByteBuf forWriting(ByteBufAllocator others, int length) {
    return out.refCnt() == 1 ? out.retain().clear() : others.directBuffer(length, length);
  }

  /** Releases the buffers. To be called when no channel is left. */
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
