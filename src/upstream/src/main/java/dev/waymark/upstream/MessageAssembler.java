package dev.waymark.upstream;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;

/** Joins the frames of a message. Confined to its lane's lock. */
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
   * Whether this buffer makes the message too long: at least one byte follows an incomplete one.
   */
  boolean isTooLong(ByteBuf buffer, boolean last) {
    return gatheredBytes() + buffer.readableBytes() + (last ? 0 : 1) > bytesMax;
  }

  /** Keeps a copy of a buffer that does not end the message. */
  void add(ByteBuf borrowed) {
    if (gathered == null) {
      gathered = ByteBufAllocator.DEFAULT.buffer(borrowed.readableBytes());
    }
    gathered.writeBytes(borrowed, borrowed.readerIndex(), borrowed.readableBytes());
  }

  /**
   * The whole message, given its last buffer.
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

  /** Drops an incomplete message. */
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
