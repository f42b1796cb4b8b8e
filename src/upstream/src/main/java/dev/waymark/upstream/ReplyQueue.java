package dev.waymark.upstream;

import dev.waymark.protocol.Check;
import dev.waymark.protocol.SizeLimits;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * The reply direction of one attachment: sends what the limit allows and queues the rest, in order.
 * Confined to its lane's lock.
 *
 * <p>A whole reply (a commit) is sent only if it fits the limit completely; any other may be split
 * at the limit. Small waiting replies are merged: two commits merged into one still take effect
 * together or not at all.
 */
final class ReplyQueue {
  /** What a waiting reply costs in addition to its bytes. */
  static final int OVERHEAD_BYTES = 64;

  /**
   * Small waiting replies are copied into shared buffers of up to this size, so that a reply does
   * not keep a whole batch in memory.
   */
  static final int MERGED_BYTES_MAX = 16 * 1024;

  /** Sends the frames. */
  interface Output {
    /** Whether the transport has room. */
    boolean isReady();

    /** Sends one frame of this attachment. Takes over the payload's reference. */
    void frame(
        ByteBuf owned,
        long consumedOffset,
        byte @Nullable [] context,
        boolean more,
        boolean halfClose,
        int closeCode);
  }

  private static final class Reply {
    ByteBuf payload;
    long consumedOffset;
    byte @Nullable [] context;
    boolean whole;
    final boolean halfClose;
    final int closeCode;
    final boolean mergeable;

    Reply(
        ByteBuf payload,
        long consumedOffset,
        byte @Nullable [] context,
        boolean whole,
        boolean halfClose,
        int closeCode,
        boolean mergeable) {
      this.payload = payload;
      this.consumedOffset = consumedOffset;
      this.context = context;
      this.whole = whole;
      this.halfClose = halfClose;
      this.closeCode = closeCode;
      this.mergeable = mergeable;
    }

    int costBytes() {
      return OVERHEAD_BYTES + payload.readableBytes() + (context == null ? 0 : context.length);
    }
  }

  private final Output output;
  private final boolean isLimited;
  private final boolean isPinned;
  private final ArrayDeque<Reply> waiting = new ArrayDeque<>(0);
  private long sentOffset;
  private long skipBytes;
  private long limit;
  private long replyWindowBytes;
  private long waitingBytes;

  /** What has to be acknowledged ahead of the waiting replies; -1 if nothing. */
  private long consumedAhead = -1;

  /**
   * @param isLimited whether there is a limit; false for an at-most-once upstream, which gets no
   *     credit
   * @param isPinned whether acknowledgements do not wait for replies: nobody resumes the
   *     connection, so the two directions have nothing to do with each other
   * @param limit the initial limit
   * @param replyWindowBytes the initial estimate of the reply window
   * @param committedOffset the offset at which replies resume: after what former owners committed
   * @param committedSinceConsumed how many bytes of the first reply former owners have committed;
   *     they are skipped
   */
  ReplyQueue(
      Output output,
      boolean isLimited,
      boolean isPinned,
      long limit,
      long replyWindowBytes,
      long committedOffset,
      long committedSinceConsumed) {
    this.output = output;
    this.isLimited = isLimited;
    this.isPinned = isPinned;
    this.limit = isLimited ? limit : Long.MAX_VALUE;
    this.sentOffset = committedOffset;
    this.skipBytes = committedSinceConsumed;
    this.replyWindowBytes = isLimited ? replyWindowBytes : Long.MAX_VALUE;
  }

  // --- inputs ---

  /**
   * Adds the next reply. Sends it at once if nothing is waiting and it fits.
   *
   * @param owned one reference passes to this method
   * @param whole whether it must not be split; its size is then at most the reply window
   */
  void add(
      ByteBuf owned,
      long consumedOffset,
      byte @Nullable [] context,
      boolean whole,
      boolean halfClose,
      int closeCode) {
    skip(owned, consumedOffset);
    boolean isAcknowledgement =
        !owned.isReadable() && consumedOffset != -1 && context == null && closeCode == 0;
    if (isPinned && isAcknowledgement && !halfClose) {
      consumedAhead = Math.max(consumedAhead, consumedOffset);
      owned.release();
      pump();
      return;
    }
    if (waiting.isEmpty() && output.isReady() && owned.readableBytes() <= room()) {
      emit(owned, consumedOffset, context, whole, halfClose, closeCode);
      return;
    }
    enqueue(owned, consumedOffset, context, whole, halfClose, closeCode);
    pump();
  }

  /** Called with a limit from the bridge. A lower one than before is ignored. */
  void onLimit(long newLimit) {
    if (isLimited && newLimit > limit) {
      limit = newLimit;
      replyWindowBytes = Math.max(replyWindowBytes, room());
      pump();
    }
  }

  /** Sends the waiting replies that have room. */
  void pump() {
    if (consumedAhead != -1 && output.isReady()) {
      long consumed = consumedAhead;
      consumedAhead = -1;
      emit(Unpooled.EMPTY_BUFFER, consumed, null, true, false, 0);
    }
    while (!waiting.isEmpty() && output.isReady()) {
      Reply head = waiting.peek();
      long room = room();
      if (head.payload.readableBytes() <= room) {
        waiting.poll();
        waitingBytes -= head.costBytes();
        emit(
            head.payload,
            head.consumedOffset,
            head.context,
            head.whole,
            head.halfClose,
            head.closeCode);
      } else if (!head.whole && room > 0) {
        waitingBytes -= room;
        emit(head.payload.readRetainedSlice((int) room), -1, null, false, false, 0);
      } else {
        return;
      }
    }
  }

  /** Drops the waiting replies. */
  void discard() {
    for (Reply reply : waiting) {
      reply.payload.release();
    }
    waiting.clear();
    waitingBytes = 0;
    consumedAhead = -1;
  }

  // --- outputs ---

  boolean isWaiting() {
    return !waiting.isEmpty() || consumedAhead != -1;
  }

  /** The bytes of the waiting replies, including the overhead of each. */
  long waitingBytes() {
    return waitingBytes;
  }

  long sentOffset() {
    return sentOffset;
  }

  /**
   * The reply window as far as it is known: the largest distance between limit and sent bytes so
   * far.
   */
  long replyWindowBytes() {
    return replyWindowBytes;
  }

  // --- transitions ---

  /** Skips the part of this reply that a former owner has committed (rule 4). */
  private void skip(ByteBuf owned, long consumedOffset) {
    if (skipBytes > 0) {
      int skipped = (int) Math.min(skipBytes, owned.readableBytes());
      owned.skipBytes(skipped);
      skipBytes = consumedOffset == -1 ? skipBytes - skipped : 0;
    }
  }

  private long room() {
    return limit - sentOffset;
  }

  private void emit(
      ByteBuf owned,
      long consumedOffset,
      byte @Nullable [] context,
      boolean whole,
      boolean halfClose,
      int closeCode) {
    int bytes = owned.readableBytes();
    sentOffset += bytes;
    Check.that(sentOffset <= limit, "replies stay within the limit");
    if (bytes <= SizeLimits.PAYLOAD_BYTES_MAX) {
      output.frame(owned, consumedOffset, context, false, halfClose, closeCode);
      return;
    }
    // Commits of an at-most-once upstream need not be atomic, so the bridge does not have to hold
    // them.
    boolean more = whole && isLimited;
    while (owned.readableBytes() > SizeLimits.PAYLOAD_BYTES_MAX) {
      output.frame(owned.readRetainedSlice(SizeLimits.PAYLOAD_BYTES_MAX), -1, null, more, false, 0);
    }
    output.frame(owned, consumedOffset, context, false, halfClose, closeCode);
  }

  private void enqueue(
      ByteBuf owned,
      long consumedOffset,
      byte @Nullable [] context,
      boolean whole,
      boolean halfClose,
      int closeCode) {
    int bytes = owned.readableBytes();
    boolean isEnd = halfClose || closeCode != 0;
    if (!isEnd && merge(owned, consumedOffset, context, whole)) {
      return;
    }
    boolean isCopied = !isEnd && bytes <= mergedBytesMax();
    ByteBuf kept = isCopied ? copy(owned) : owned;
    Reply reply = new Reply(kept, consumedOffset, context, whole, halfClose, closeCode, isCopied);
    waiting.add(reply);
    waitingBytes += reply.costBytes();
  }

  private boolean merge(
      ByteBuf owned, long consumedOffset, byte @Nullable [] context, boolean whole) {
    Reply tail = waiting.peekLast();
    if (tail == null
        || !tail.mergeable
        // Bytes after an acknowledgement belong to the next reply; merged, they would become part
        // of this one.
        || (tail.consumedOffset != -1 && consumedOffset == -1 && owned.isReadable())
        || tail.payload.readableBytes() + owned.readableBytes() > mergedBytesMax()
        // Bytes that were sent when a reply was split at the limit still occupy the buffer.
        || (tail.payload.isReadable() && tail.payload.maxWritableBytes() < owned.readableBytes())) {
      return false;
    }
    waitingBytes -= tail.costBytes();
    if (!tail.payload.isReadable()) {
      tail.payload.release();
      tail.payload = copy(owned);
    } else {
      tail.payload.writeBytes(owned, owned.readerIndex(), owned.readableBytes());
      owned.release();
    }
    tail.consumedOffset = Math.max(tail.consumedOffset, consumedOffset);
    tail.context = context == null ? tail.context : context;
    tail.whole |= whole;
    waitingBytes += tail.costBytes();
    return true;
  }

  private int mergedBytesMax() {
    return (int) Math.min(MERGED_BYTES_MAX, replyWindowBytes);
  }

  private static ByteBuf copy(ByteBuf owned) {
    try {
      return owned.isReadable()
          ? ByteBufAllocator.DEFAULT
              .buffer(owned.readableBytes(), MERGED_BYTES_MAX)
              .writeBytes(owned, owned.readerIndex(), owned.readableBytes())
          : Unpooled.EMPTY_BUFFER;
    } finally {
      owned.release();
    }
  }
}
