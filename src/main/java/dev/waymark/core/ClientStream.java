package dev.waymark.core;

import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * The client's direction of one connection: what came, what was sent to the owner, what the owner
 * is done with (rules 1, 2 and 3). What was sent is kept until it is consumed, so that a new owner
 * can be given it again. All offsets are absolute. Confined to its shard's thread.
 */
final class ClientStream {
  /**
   * Bytes of the stream, from `offset` on; `isLast`: they end a message. What is kept is shared
   * with what is sent: nobody moves the payload's indices.
   */
  record Chunk(ByteBuf payload, long offset, boolean isLast) {
    private long endOffset() {
      return offset + payload.readableBytes();
    }

    /** Its first bytes, in a reference of their own. */
    private Chunk head(int bytes) {
      return new Chunk(payload.retainedSlice(payload.readerIndex(), bytes), offset, false);
    }

    /** Without its first bytes, in place of the whole. */
    private Chunk skip(int bytes) {
      int left = payload.readableBytes() - bytes;
      ByteBuf rest = payload.retainedSlice(payload.readerIndex() + bytes, left);
      payload.release();
      return new Chunk(rest, offset + bytes, isLast);
    }
  }

  private long receivedOffset;
  private long sentOffset;
  private long consumedOffset;
  private boolean isEnded;
  private boolean isEndSent;

  /** Sent and not consumed; null while empty, as for most connections most of the time. */
  private @Nullable ArrayDeque<Chunk> kept;

  /** Waits to be sent. */
  private @Nullable ArrayDeque<Chunk> pending;

  // --- inputs ---

  /** Bytes came that cannot be sent at once. */
  void enqueue(ByteBuf owned, boolean isLast) {
    pending = added(pending, new Chunk(owned, receivedOffset, isLast));
    receivedOffset += owned.readableBytes();
  }

  /**
   * Bytes came and are sent at once.
   *
   * @param borrowed kept by a reference of its own where the owner acknowledges
   */
  void pass(ByteBuf borrowed, boolean isLast, boolean isKept) {
    Check.that(pending == null, "bytes pass only where none wait");
    receivedOffset += borrowed.readableBytes();
    sent(borrowed, isLast, isKept);
  }

  /** The client sent FIN. */
  void end() {
    isEnded = true;
  }

  /**
   * The owner is done with everything before this offset; a lower one than before is ignored.
   *
   * @return false if it was never sent
   */
  boolean consume(long offset) {
    if (offset > sentOffset) {
      return false;
    }
    if (offset > consumedOffset) {
      consumedOffset = offset;
      forgetConsumed();
    }
    return true;
  }

  /** The owner does not acknowledge: sent is as good as consumed. */
  void consumeAllSent() {
    consume(sentOffset);
  }

  /**
   * The owner is gone: what it did not consume is to be sent again, FIN too (rule 3).
   *
   * @return how many bytes
   */
  long rewind() {
    long bytes = sentOffset - consumedOffset;
    ArrayDeque<Chunk> again = kept;
    if (again != null) {
      if (pending != null) {
        again.addAll(pending);
      }
      pending = again;
      kept = null;
    }
    sentOffset = consumedOffset;
    isEndSent = false;
    return bytes;
  }

  /** Drops what waits and what is kept. */
  void release() {
    releaseAll(pending);
    releaseAll(kept);
    pending = null;
    kept = null;
  }

  // --- outputs ---

  /** How many bytes may be sent now under this window. */
  long room(long windowBytes) {
    return windowBytes - (sentOffset - consumedOffset);
  }

  /**
   * Takes the next bytes to send, at most one payload and never past the window. To be asked again
   * until null, after every input.
   *
   * @param isKept the owner acknowledges, or may yet
   * @return the caller owns its payload; null if nothing waits or fits
   */
  @Nullable Chunk next(long windowBytes, boolean isKept) {
    Chunk head = pending == null ? null : pending.peek();
    if (pending == null || head == null) {
      return null;
    }
    int bytes = head.payload().readableBytes();
    int fitting =
        (int) Math.min(Math.min(bytes, Limits.PAYLOAD_BYTES_MAX), Math.max(0, room(windowBytes)));
    if (fitting == 0 && bytes > 0) {
      return null;
    }
    pending.poll();
    Chunk next = head;
    if (fitting < bytes) {
      next = head.head(fitting);
      pending.addFirst(head.skip(fitting));
    } else if (pending.isEmpty()) {
      pending = null;
    }
    sent(next.payload(), next.isLast(), isKept);
    return next;
  }

  /** Nothing waits to be sent. */
  boolean isEmpty() {
    return pending == null;
  }

  boolean isEnded() {
    return isEnded;
  }

  /** FIN may be passed on now, once. */
  boolean isEndToBeSent() {
    return isEnded && !isEndSent && isEmpty();
  }

  void endSent() {
    isEndSent = true;
  }

  boolean isEndSent() {
    return isEndSent;
  }

  long receivedOffset() {
    return receivedOffset;
  }

  long sentOffset() {
    return sentOffset;
  }

  long consumedOffset() {
    return consumedOffset;
  }

  /** Bytes that wait to be sent. */
  long pendingBytes() {
    return pending == null ? 0 : receivedOffset - sentOffset;
  }

  /** Bytes in memory: those that wait, and those that may have to be sent again. */
  long heldBytes() {
    return pendingBytes() + (kept == null ? 0 : sentOffset - consumedOffset);
  }

  /** How many buffers that is. */
  int pieces() {
    return (pending == null ? 0 : pending.size()) + (kept == null ? 0 : kept.size());
  }

  // --- transitions ---

  private void sent(ByteBuf payload, boolean isLast, boolean isKept) {
    if (isKept) {
      kept = added(kept, new Chunk(payload.retain(), sentOffset, isLast));
    }
    sentOffset += payload.readableBytes();
  }

  private void forgetConsumed() {
    ArrayDeque<Chunk> chunks = kept;
    if (chunks == null) {
      return;
    }
    Chunk head = chunks.peek();
    while (head != null && head.endOffset() <= consumedOffset) {
      chunks.remove().payload().release();
      head = chunks.peek();
    }
    if (head == null) {
      kept = null;
    } else if (head.offset() < consumedOffset) {
      chunks.remove();
      chunks.addFirst(head.skip((int) (consumedOffset - head.offset())));
    }
  }

  private static ArrayDeque<Chunk> added(@Nullable ArrayDeque<Chunk> chunks, Chunk chunk) {
    ArrayDeque<Chunk> longer = chunks == null ? new ArrayDeque<>(4) : chunks;
    longer.add(chunk);
    return longer;
  }

  private static void releaseAll(@Nullable ArrayDeque<Chunk> chunks) {
    if (chunks != null) {
      chunks.forEach(chunk -> chunk.payload().release());
    }
  }

  void checkInvariants() {
    Check.that(consumedOffset <= sentOffset, "consumed beyond sent");
    Check.that(sentOffset <= receivedOffset, "sent beyond received");
    Check.that(!isEndSent || isEmpty(), "FIN overtook bytes");
    checkGapless(kept, consumedOffset, sentOffset);
    checkGapless(pending, sentOffset, receivedOffset);
  }

  private static void checkGapless(@Nullable ArrayDeque<Chunk> chunks, long from, long to) {
    if (chunks != null) {
      long offset = from;
      for (Chunk chunk : chunks) {
        Check.that(chunk.offset() == offset, "chunks follow one another");
        offset = chunk.endOffset();
      }
      Check.that(offset == to, "chunks reach to the end");
    }
  }
}
