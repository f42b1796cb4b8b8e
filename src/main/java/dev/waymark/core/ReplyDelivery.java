package dev.waymark.core;

import io.netty.buffer.ByteBuf;

/**
 * Hands the replies of one connection to its client's socket, once per turn. Confined to its
 * shard's thread.
 */
final class ReplyDelivery {
  /** Smaller replies to a client that does not keep up are copied out of their batch. */
  private static final int COMPACT_BYTES_MAX = 16 * 1024;

  /** As small as this they always are: whether the client keeps up shows too late for them. */
  private static final int ALWAYS_COMPACT_BYTES_MAX = 1024;

  private final ReplyStream replies;
  private final ClientSocket socket;
  private boolean isFlushDue;
  private long kernelOffset;

  ReplyDelivery(ReplyStream replies, ClientSocket socket) {
    this.replies = replies;
    this.socket = socket;
  }

  /**
   * A reply takes effect; it leaves at {@link #flush}.
   *
   * @param owned the reference passes to this method
   * @return the flush was not due before
   */
  boolean write(ByteBuf owned) {
    int bytes = owned.readableBytes();
    boolean isSlow = replies.queuedBytes() > 0 && !isFlushDue && bytes < COMPACT_BYTES_MAX;
    replies.take(bytes);
    socket.write(isSlow || bytes <= ALWAYS_COMPACT_BYTES_MAX ? compact(owned) : owned);
    boolean isFirst = !isFlushDue;
    isFlushDue = true;
    return isFirst;
  }

  /** Hands the turn's replies to the kernel. */
  void flush() {
    isFlushDue = false;
    socket.flush();
  }

  boolean isFlushDue() {
    return isFlushDue;
  }

  /** The kernel took bytes to the end of a flush. */
  void written(long bytes, int pieces) {
    replies.written(bytes, pieces);
    kernelOffset = replies.writtenOffset();
  }

  /**
   * Whether the kernel took anything since the last question: a slow client may be in the middle of
   * one large flush, of which {@link #written} tells at its end.
   */
  boolean hasMoved() {
    long before = kernelOffset;
    kernelOffset = replies.takenOffset() - socket.unwrittenBytes();
    return kernelOffset > before;
  }

  /** A slice would keep its whole batch in memory for as long as this client does not read. */
  private static ByteBuf compact(ByteBuf owned) {
    try {
      return owned.copy();
    } finally {
      owned.release();
    }
  }
}
