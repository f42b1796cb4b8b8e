package dev.waymark.core;

import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * The client's direction of one connection: what came, what was sent to the owner, what the owner
 * is done with (rules 1 and 2). All offsets are absolute. Confined to its shard's thread.
 */
final class ClientStream {
  /** Bytes that wait to be sent; `isLast`: they end a message. */
  record Chunk(ByteBuf payload, boolean isLast) {}

  private long receivedOffset;
  private long sentOffset;
  private long consumedOffset;
  private long pendingBytes;
  private boolean isEnded;
  private boolean isEndSent;
  private @Nullable ArrayDeque<Chunk> pending;

  // --- inputs ---

  /** Bytes came that cannot be sent at once. */
  void enqueue(ByteBuf owned, boolean isLast) {
    receivedOffset += owned.readableBytes();
    pendingBytes += owned.readableBytes();
    if (pending == null) {
      pending = new ArrayDeque<>(4);
    }
    pending.add(new Chunk(owned, isLast));
  }

  /** Bytes came and are sent at once. */
  void pass(int bytes) {
    Check.that(isEmpty(), "bytes pass only where none wait");
    receivedOffset += bytes;
    sentOffset += bytes;
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
    consumedOffset = Math.max(consumedOffset, offset);
    return true;
  }

  /** The owner does not acknowledge: sent is as good as consumed. */
  void consumeAllSent() {
    consumedOffset = sentOffset;
  }

  /** Drops what waits. */
  void release() {
    if (pending != null) {
      pending.forEach(chunk -> chunk.payload().release());
      pending = null;
      pendingBytes = 0;
    }
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
   * @return the caller owns its payload; null if nothing waits or fits
   */
  @Nullable Chunk next(long windowBytes) {
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
    sentOffset += fitting;
    pendingBytes -= fitting;
    if (fitting < bytes) {
      return new Chunk(head.payload().readRetainedSlice(fitting), false);
    }
    pending.poll();
    if (pending.isEmpty()) {
      pending = null;
    }
    return head;
  }

  /** Nothing waits. */
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
    return pendingBytes;
  }

  /** How many buffers wait to be sent. */
  int pendingPieces() {
    return pending == null ? 0 : pending.size();
  }

  void checkInvariants() {
    Check.that(consumedOffset <= sentOffset, "consumed beyond sent");
    Check.that(sentOffset + pendingBytes <= receivedOffset, "sent beyond received");
    Check.that(!isEndSent || isEmpty(), "FIN overtook bytes");
    long waiting =
        pending == null
            ? 0
            : pending.stream().mapToLong(chunk -> chunk.payload().readableBytes()).sum();
    Check.that(waiting == pendingBytes, "pending is counted both ways");
  }
}
