package dev.waymark.upstream;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;

/** Assembles messages from frames. Confined to its lane's lock. */
final class MessageAssembler {
  private final int bytesMax;
  private @Nullable ByteBuf gathered;

  /**
   * @param bytesMax the longest message
   */
  MessageAssembler(int bytesMax) {
    this.bytesMax = bytesMax;
  }

  /**
   * Whether this buffer makes the message too long. If it is not the last, at least one more byte
   * follows.
   */
  boolean isTooLong(ByteBuf buffer, boolean last) {
    return gatheredBytes() + buffer.readableBytes() + (last ? 0 : 1) > bytesMax;
  }

  /** Appends a copy of a buffer that does not end the message. */
  void add(ByteBuf borrowed) {
    if (gathered == null) {
      gathered = ByteBufAllocator.DEFAULT.buffer(borrowed.readableBytes());
    }
    gathered.writeBytes(borrowed, borrowed.readerIndex(), borrowed.readableBytes());
  }

  /**
   * Completes the message with its last buffer and returns it.
   *
   * @return a reference owned by the caller
   */
  ByteBuf complete(ByteBuf borrowed) {
    if (gathered == null) {
      return borrowed.retainedSlice();
    }
    add(borrowed);
    ByteBuf message = gathered;
    gathered = null;
    return message;
  }

  /** Drops the incomplete message, if there is one. */
  void discard() {
    if (gathered != null) {
      gathered.release();
      gathered = null;
    }
  }

  private int gatheredBytes() {
    return gathered == null ? 0 : gathered.readableBytes();
  }
}
