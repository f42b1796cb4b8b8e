package dev.waymark.engine.stream;

import dev.waymark.protocol.Check;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.SizeLimits;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * The client's direction of one connection: what came, what the owner was sent, what it consumed,
 * and why no more can be read (rules 1, 2 and 3).
 *
 * <p>What was sent is kept until it is consumed. When the owner is lost, the stream is rewound to
 * {@code consumed} and the next owner is sent the rest again: that is all there is to a replay.
 * Bytes are kept as references to the buffers that were read, so keeping them copies nothing; the
 * cost is at most one window for each connection with work under way. All offsets are absolute and
 * count from the first byte of the connection, so nothing has to be renumbered when the owner
 * changes. Confined to its shard's thread.
 */
public final class ClientStream {
  /**
   * Bytes of the stream and a link to the next chunk. What is kept is shared with what is sent, so
   * nobody may move the payload's indices.
   */
  public static final class Chunk {
    private ByteBuf payload;
    private boolean isLast;
    private @Nullable Chunk following;

    private Chunk(ByteBuf payload, boolean isLast) {
      this.payload = payload;
      this.isLast = isLast;
    }

    public ByteBuf payload() {
      return payload;
    }

    /** They end a message. */
    public boolean isLast() {
      return isLast;
    }

    private int bytes() {
      return payload.readableBytes();
    }

    /** Moves all but its first bytes to a new chunk behind it. */
    private void split(int bytes) {
      Chunk rest = new Chunk(slice(bytes, bytes() - bytes), isLast);
      rest.following = following;
      following = rest;
      isLast = false;
      become(slice(0, bytes));
    }

    /** Loses its first bytes. */
    private void skip(int bytes) {
      become(slice(bytes, bytes() - bytes));
    }

    private ByteBuf slice(int from, int bytes) {
      return payload.retainedSlice(payload.readerIndex() + from, bytes);
    }

    private void become(ByteBuf owned) {
      payload.release();
      payload = owned;
    }
  }

  private long receivedOffset;
  private long sentOffset;
  private long consumedOffset;
  private boolean isEnded;
  private boolean isEndSent;
  private int buffers;
  private int partialBytes;
  private @Nullable CloseReason violation;

  /** What was sent and not consumed, then what waits to be sent. */
  private @Nullable Chunk first;

  /** The first chunk that waits to be sent. */
  private @Nullable Chunk unsent;

  private @Nullable Chunk last;

  // --- inputs ---

  /** Bytes came that have to wait. */
  public void enqueue(ByteBuf owned, boolean isLast) {
    Chunk added = add(owned, isLast);
    unsent = unsent == null ? added : unsent;
    receivedOffset += owned.readableBytes();
  }

  /**
   * Bytes came and are sent at once.
   *
   * @param borrowed kept by a reference of its own where the owner acknowledges
   */
  public void pass(ByteBuf borrowed, boolean isLast, boolean isKept) {
    Check.that(unsent == null, "bytes pass only where none wait");
    receivedOffset += borrowed.readableBytes();
    sentOffset += borrowed.readableBytes();
    if (isKept) {
      add(borrowed.retain(), isLast);
    }
  }

  /** The client sent FIN. */
  public void end() {
    isEnded = true;
  }

  /** This many bytes of an incomplete message wait at the edge. */
  public void partial(int bytes) {
    partialBytes = bytes;
  }

  /**
   * The client's bytes cannot be cut into messages from here on.
   *
   * @return whether this is new
   */
  public boolean violation(CloseReason reason) {
    if (violation != null) {
      return false;
    }
    violation = reason;
    return true;
  }

  /**
   * The owner has consumed everything before this offset. A lower offset than before is ignored.
   *
   * @return false if that was never sent
   */
  public boolean consume(long offset) {
    if (offset > sentOffset) {
      return false;
    }
    if (offset > consumedOffset) {
      forget(offset - consumedOffset);
      consumedOffset = offset;
    }
    return true;
  }

  /** The owner does not acknowledge: what was sent counts as consumed. */
  public void consumeAllSent() {
    consume(sentOffset);
  }

  /**
   * The owner is gone: what it did not consume has to be sent again, FIN included (rule 3).
   *
   * @return how many bytes
   */
  public long rewind() {
    long bytes = sentOffset - consumedOffset;
    unsent = first;
    sentOffset = consumedOffset;
    isEndSent = false;
    return bytes;
  }

  /** Releases what waits and what is kept. */
  public void release() {
    unsent = null;
    for (Chunk chunk = first; chunk != null; chunk = first) {
      removeFirst(chunk).release();
    }
  }

  // --- outputs ---

  /** How many bytes may be sent now under this window. */
  public long room(long windowBytes) {
    return windowBytes - (sentOffset - consumedOffset);
  }

  /**
   * Takes the next bytes to send, at most one payload and never past the window. To be called until
   * null after every input.
   *
   * @param isKept the owner acknowledges, or may yet
   * @return the caller owns its payload; null if nothing waits or fits
   */
  public @Nullable Chunk next(long windowBytes, boolean isKept) {
    Chunk next = unsent;
    if (next == null) {
      return null;
    }
    int bytes = next.bytes();
    int fitting =
        (int)
            Math.min(Math.min(bytes, SizeLimits.PAYLOAD_BYTES_MAX), Math.max(0, room(windowBytes)));
    if (fitting == 0 && bytes > 0) {
      return null;
    }
    if (fitting < bytes) {
      next.split(fitting);
      buffers++;
      last = last == next ? next.following : last;
    }
    unsent = next.following;
    sentOffset += fitting;
    if (isKept || first != next) {
      next.payload.retain();
    } else {
      removeFirst(next);
    }
    return next;
  }

  /** Nothing waits to be sent. */
  public boolean isEmpty() {
    return unsent == null;
  }

  public boolean isEnded() {
    return isEnded;
  }

  /** Where the client has ended its direction, if the owner may know; else -1. */
  public long endedAt() {
    return isEnded && violation == null ? receivedOffset : -1;
  }

  /** Why the client cannot be read further; null while it can. */
  public @Nullable CloseReason violation() {
    return violation;
  }

  /** No part of a message waits at the edge. */
  public boolean isBetweenMessages() {
    return partialBytes == 0;
  }

  /** An owner was sent bytes that it has not consumed. */
  public boolean isAwaitingOwner() {
    return sentOffset > consumedOffset;
  }

  /** All that came was sent and consumed; FIN may be still to come. */
  public boolean isConsumed() {
    return consumedOffset == receivedOffset;
  }

  /** Bytes wait that this window does not let through. */
  public boolean isFull(long windowBytes) {
    return !isEmpty() && room(windowBytes) <= 0;
  }

  /** FIN may be passed on now, once. */
  public boolean isEndDue() {
    return isEnded && !isEndSent && isEmpty();
  }

  public void endSent() {
    isEndSent = true;
  }

  public boolean isEndSent() {
    return isEndSent;
  }

  public long receivedOffset() {
    return receivedOffset;
  }

  public long sentOffset() {
    return sentOffset;
  }

  public long consumedOffset() {
    return consumedOffset;
  }

  /** Bytes that wait to be sent. */
  long pendingBytes() {
    return unsent == null ? 0 : receivedOffset - sentOffset;
  }

  /** Bytes in memory: those that wait and those that may have to be sent again. */
  public long heldBytes() {
    return pendingBytes() + (first == unsent ? 0 : sentOffset - consumedOffset);
  }

  /** Bytes of a message that is not complete, which wait at the edge. */
  public int partialBytes() {
    return partialBytes;
  }

  /** How many buffers {@link #heldBytes} is. */
  public int buffers() {
    return buffers;
  }

  // --- transitions ---

  private Chunk add(ByteBuf owned, boolean isLast) {
    Chunk added = new Chunk(owned, isLast);
    if (last == null) {
      first = added;
    } else {
      last.following = added;
    }
    last = added;
    buffers++;
    return added;
  }

  /** The caller owns its payload. */
  private ByteBuf removeFirst(Chunk chunk) {
    first = chunk.following;
    last = first == null ? null : last;
    // An old chunk that is garbage would keep all that follow alive.
    chunk.following = null;
    buffers--;
    return chunk.payload;
  }

  /** This many more of the kept bytes are consumed. */
  private void forget(long bytes) {
    long left = bytes;
    Chunk chunk = first;
    while (chunk != null && chunk != unsent && chunk.bytes() <= left) {
      left -= chunk.bytes();
      removeFirst(chunk).release();
      chunk = first;
    }
    if (chunk != null && chunk != unsent && left > 0) {
      chunk.skip((int) left);
    }
  }

  public void checkInvariants() {
    Check.that(consumedOffset <= sentOffset, "consumed beyond sent");
    Check.that(sentOffset <= receivedOffset, "sent beyond received");
    Check.that(!isEndSent || isEmpty(), "FIN overtook bytes");
    Check.that(
        first == unsent || bytes(first, unsent) == sentOffset - consumedOffset,
        "what is kept is the gap between consumed and sent");
    Check.that(
        unsent == null || bytes(unsent, null) == receivedOffset - sentOffset,
        "what waits is the gap between sent and received");
    Check.that((first == null) == (last == null), "a list has both ends or none");
  }

  private static long bytes(@Nullable Chunk from, @Nullable Chunk until) {
    long bytes = 0;
    for (Chunk chunk = from; chunk != null && chunk != until; chunk = chunk.following) {
      bytes += chunk.bytes();
    }
    return bytes;
  }
}
