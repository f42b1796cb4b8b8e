package dev.waymark.upstream;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;

/** Puts the frames of a message together. Confined to its lane's lock. */
final class MessageAssembler {
  private final int bytesMax;
  private @Nullable ByteBuf gathered;

  /**
   * @param bytesMax no message is longer
   */
  MessageAssembler(int bytesMax) {
    this.bytesMax = bytesMax;
  }

  /**
   * Whether this piece makes the message longer than may be: an unfinished one has at least a byte
   * to come.
   */
  boolean isTooLong(ByteBuf piece, boolean last) {
    return gatheredBytes() + piece.readableBytes() + (last ? 0 : 1) > bytesMax;
  }

  /** Keeps a copy of a piece that does not end the message. */
  void add(ByteBuf borrowed) {
    if (gathered == null) {
      gathered = ByteBufAllocator.DEFAULT.buffer(borrowed.readableBytes());
    }
    gathered.writeBytes(borrowed, borrowed.readerIndex(), borrowed.readableBytes());
  }

  /**
   * The whole message, given its last piece.
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

  /** Forgets an unfinished message. */
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
