package dev.waymark.engine.stream;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * Hands the replies of one connection, and what is pushed to it, to its client's socket, once per
 * turn. Confined to its shard's thread.
 */
final class ReplyDelivery {
  /** Smaller replies to a client that does not keep up are copied out of their batch. */
  private static final int COMPACT_BYTES_MAX = 16 * 1024;

  /** Replies up to this size are always copied: it is not yet known whether the client keeps up. */
  private static final int ALWAYS_COMPACT_BYTES_MAX = 1024;

  private final ReplyStream replies;
  private final ClientSocket socket;
  private @Nullable PushedBytes pushed;
  private boolean isFlushDue;
  private long kernelOffset;

  ReplyDelivery(ReplyStream replies, ClientSocket socket) {
    this.replies = replies;
    this.socket = socket;
  }

  /**
   * Writes committed reply bytes; they leave at {@link #flush}.
   *
   * @param owned the reference passes to this method
   * @return whether a flush has become due
   */
  boolean write(ByteBuf owned) {
    int bytes = owned.readableBytes();
    boolean isSlow = replies.queuedBytes() > 0 && !isFlushDue && bytes < COMPACT_BYTES_MAX;
    replies.take(bytes);
    return hand(isSlow || bytes <= ALWAYS_COMPACT_BYTES_MAX ? compact(owned) : owned);
  }

  /**
   * Writes pushed bytes, at least one, after all replies so far; they leave at {@link #flush}.
   *
   * @param owned the reference passes to this method
   * @return whether a flush has become due
   */
  boolean push(ByteBuf owned) {
    if (pushed == null) {
      pushed = new PushedBytes();
    }
    pushed.hand(replies.committedOffset(), owned.readableBytes());
    return hand(owned);
  }

  private boolean hand(ByteBuf owned) {
    socket.write(owned);
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

  /** The kernel took bytes, up to the end of a flush. */
  void written(long bytes, int buffers) {
    if (pushed == null || pushed.isEmpty()) {
      replies.written(bytes, buffers);
    } else {
      long replyBytes = pushed.written(bytes, replies.writtenOffset());
      replies.written(replyBytes, buffers - pushed.takeFinishedBuffers());
    }
    kernelOffset = writtenBytes();
  }

  /**
   * Whether the kernel has taken anything since the last call, also in the middle of a large flush
   * to a slow client, which {@link #written} reports only at its end.
   */
  boolean hasMoved() {
    long before = kernelOffset;
    kernelOffset = writtenBytes() + queuedBytes() - socket.unwrittenBytes();
    return kernelOffset > before;
  }

  /** Bytes that the client's socket took, including pushed ones. */
  long writtenBytes() {
    return replies.writtenOffset() + (pushed == null ? 0 : pushed.writtenBytes());
  }

  /** Bytes that wait for the client's socket, including pushed ones. */
  long queuedBytes() {
    return replies.queuedBytes() + pushedBytes();
  }

  /** Pushed bytes that wait for the client's socket. */
  long pushedBytes() {
    return pushed == null ? 0 : pushed.handedBytes() - pushed.writtenBytes();
  }

  /** The number of buffers that contain {@link #pushedBytes}. */
  int pushedBuffers() {
    return pushed == null ? 0 : pushed.buffers();
  }

  /** A slice would keep its whole batch in memory until this client reads. */
  private static ByteBuf compact(ByteBuf owned) {
    try {
      return owned.copy();
    } finally {
      owned.release();
    }
  }
}
