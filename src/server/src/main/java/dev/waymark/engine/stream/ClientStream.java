package dev.waymark.engine.stream;

import dev.waymark.protocol.Check;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.SizeLimits;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * The client's direction of one connection: the bytes received, sent to the owner and consumed, and
 * why no more can be read (rules 1, 2 and 3).
 *
 * <p>Sent bytes are kept until they are consumed. When the owner is lost, the stream is rewound to
 * {@code consumed}, and the next owner is sent the rest again: that is the whole replay. Bytes are
 * kept as references to the buffers that were read, so keeping them copies nothing; the cost is at
 * most one window for each connection with work under way. All offsets are absolute and count from
 * the first byte of the connection, so nothing has to be renumbered when the owner changes.
 * Confined to its shard's thread.
 */
public final class ClientStream {
  /**
   * Some bytes of the stream, and a link to the next chunk. The payload is shared between the
   * stream and the sent frame, so its indices must not be moved.
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

    /** Whether they end a message. */
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

    /** Drops its first bytes. */
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
  private boolean isForgetting;
  private int buffers;
  private int partialBytes;
  private @Nullable CloseReason violation;

  /** The bytes sent and not consumed, followed by those that wait to be sent. */
  private @Nullable Chunk first;

  /** The first chunk that waits to be sent. */
  private @Nullable Chunk unsent;

  private @Nullable Chunk last;

  // --- inputs ---

  /** Bytes came that have to wait. The reference passes to this method. */
  public void enqueue(ByteBuf owned, boolean isLast) {
    Chunk added = add(owned, isLast);
    unsent = unsent == null ? added : unsent;
    receivedOffset += owned.readableBytes();
  }

  /**
   * Bytes came and are sent at once.
   *
   * @param borrowed retained if it is kept
   * @param isKept whether the owner acknowledges, or may yet
   */
  public void pass(ByteBuf borrowed, boolean isLast, boolean isKept) {
    Check.that(unsent == null, "bytes pass only where none wait");
    receivedOffset += borrowed.readableBytes();
    sentOffset += borrowed.readableBytes();
    if (isKept && !isForgetting) {
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
   * @return false if there was a violation before
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
    Check.that(!isForgetting, "bytes that are sent again were kept");
    long bytes = sentOffset - consumedOffset;
    unsent = first;
    sentOffset = consumedOffset;
    isEndSent = false;
    return bytes;
  }

  /**
   * The owner's session cannot be replayed: what it was sent is not kept, from now on. It counts
   * towards the window until it is consumed all the same, and {@link #rewind} must not be called
   * any more.
   */
  public void forgetSent() {
    isForgetting = true;
    for (Chunk chunk = first; chunk != null && chunk != unsent; chunk = first) {
      removeFirst(chunk).release();
    }
  }

  /** Releases what waits and what is kept. */
  public void release() {
    unsent = null;
    for (Chunk chunk = first; chunk != null; chunk = first) {
      removeFirst(chunk).release();
    }
  }

  // --- outputs ---

  /** How many bytes this window allows to send now. */
  public long room(long windowBytes) {
    return windowBytes - (sentOffset - consumedOffset);
  }

  /**
   * Takes the next bytes to send, at most one payload and never past the window. Called after every
   * input, until it returns null.
   *
   * @param isKept whether the owner acknowledges, or may yet
   * @return a chunk whose payload the caller owns; null if nothing waits or fits
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
    if ((isKept && !isForgetting) || first != next) {
      next.payload.retain();
    } else {
      removeFirst(next);
    }
    return next;
  }

  /** Whether bytes that were sent are not kept; see {@link #forgetSent}. */
  public boolean isForgetting() {
    return isForgetting;
  }

  /** Whether nothing waits to be sent. */
  public boolean isEmpty() {
    return unsent == null;
  }

  public boolean isEnded() {
    return isEnded;
  }

  /** The offset of the client's FIN, or -1 if there is none or it must not be passed on. */
  public long endedAt() {
    return isEnded && violation == null ? receivedOffset : -1;
  }

  /** Why the client cannot be read further; null while it can. */
  public @Nullable CloseReason violation() {
    return violation;
  }

  /** Whether no part of a message waits at the edge. */
  public boolean isBetweenMessages() {
    return partialBytes == 0;
  }

  /** Whether an owner was sent bytes that it has not consumed. */
  public boolean isAwaitingOwner() {
    return sentOffset > consumedOffset;
  }

  /** Whether all bytes received were sent and consumed; FIN may still have to be sent. */
  public boolean isConsumed() {
    return consumedOffset == receivedOffset;
  }

  /** Whether bytes wait because this window is full. */
  public boolean isFull(long windowBytes) {
    return !isEmpty() && room(windowBytes) <= 0;
  }

  /** Whether FIN has to be passed on now. */
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

  /** The bytes in memory: those that wait and those that may have to be sent again. */
  public long heldBytes() {
    return pendingBytes() + (first == unsent ? 0 : sentOffset - consumedOffset);
  }

  /** Bytes of a message that is not complete, which wait at the edge. */
  public int partialBytes() {
    return partialBytes;
  }

  /** The number of buffers that contain {@link #heldBytes}. */
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
    // A dead chunk in the old generation would keep all later chunks alive.
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
    Check.that(consumedOffset <= sentOffset, "consumed is not beyond sent");
    Check.that(sentOffset <= receivedOffset, "sent is not beyond received");
    Check.that(!isEndSent || isEmpty(), "FIN does not overtake bytes");
    Check.that(
        first == unsent || bytes(first, unsent) == sentOffset - consumedOffset,
        "kept bytes are those between consumed and sent");
    Check.that(
        unsent == null || bytes(unsent, null) == receivedOffset - sentOffset,
        "waiting bytes are those between sent and received");
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
