package dev.waymark.upstream;

import dev.waymark.protocol.Check;
import dev.waymark.protocol.SizeLimits;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * The reply direction of one attachment: hands on what the grant allows and keeps the rest, in
 * order. Confined to its lane's lock.
 *
 * <p>A whole reply (a commit) leaves in one go or not at all; any other may be cut at the limit.
 * Small replies that wait are merged: two commits in one are still both or neither.
 */
final class ReplyQueue {
  /** What one waiting reply costs beside its bytes. */
  static final int OVERHEAD_BYTES = 64;

  /**
   * Small replies that wait are copied together up to this size, so that none holds a whole batch
   * in memory.
   */
  static final int MERGED_BYTES_MAX = 16 * 1024;

  /** Where frames go. */
  interface Output {
    /** Whether the transport takes more now. */
    boolean isReady();

    /** One frame of this attachment; the payload's reference passes. */
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
  private final boolean isGranted;
  private final ArrayDeque<Reply> waiting = new ArrayDeque<>(0);
  private long sentOffset;
  private long skipBytes;
  private long limit;
  private long grantBytes;
  private long waitingBytes;

  /**
   * @param isGranted false: there is no limit (an upstream that does not acknowledge gets no
   *     credit)
   * @param limit the first that is known
   * @param grantBytes the most that can be sent ahead, once the client has taken what is queued
   * @param taken where the stream goes on: reply bytes of former owners that took effect
   * @param takenSinceConsumed how many bytes of the first reply took effect before, and are skipped
   */
  ReplyQueue(
      Output output,
      boolean isGranted,
      long limit,
      long grantBytes,
      long taken,
      long takenSinceConsumed) {
    this.output = output;
    this.isGranted = isGranted;
    this.limit = isGranted ? limit : Long.MAX_VALUE;
    this.sentOffset = taken;
    this.skipBytes = takenSinceConsumed;
    this.grantBytes = isGranted ? grantBytes : Long.MAX_VALUE;
  }

  // --- inputs ---

  /**
   * The next reply; leaves at once if nothing waits and it fits. `whole`: not to be cut; its size
   * is at most the grant.
   *
   * @param owned one reference passes to this method
   */
  void add(
      ByteBuf owned,
      long consumedOffset,
      byte @Nullable [] context,
      boolean whole,
      boolean halfClose,
      int closeCode) {
    skip(owned, consumedOffset);
    if (waiting.isEmpty() && output.isReady() && owned.readableBytes() <= room()) {
      emit(owned, consumedOffset, context, whole, halfClose, closeCode);
      return;
    }
    park(owned, consumedOffset, context, whole, halfClose, closeCode);
    pump();
  }

  /** A new limit from the bridge; a lower one is ignored. */
  void onLimit(long newLimit) {
    if (isGranted && newLimit > limit) {
      limit = newLimit;
      grantBytes = Math.max(grantBytes, room());
      pump();
    }
  }

  /** Hands on what has room now. */
  void pump() {
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

  /** Forgets what waits. */
  void discard() {
    for (Reply reply : waiting) {
      reply.payload.release();
    }
    waiting.clear();
    waitingBytes = 0;
  }

  // --- outputs ---

  boolean isWaiting() {
    return !waiting.isEmpty();
  }

  /** Of replies that wait, each with its overhead. */
  long waitingBytes() {
    return waitingBytes;
  }

  long sentOffset() {
    return sentOffset;
  }

  /** The most that could be sent ahead at any time so far. */
  long grantBytes() {
    return grantBytes;
  }

  // --- transitions ---

  /** What the client was given of this reply by a former owner is not sent again (rule 4). */
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
    // Without Settings the bridge keeps no commits, so there is nothing to hold back.
    boolean more = whole && isGranted;
    while (owned.readableBytes() > SizeLimits.PAYLOAD_BYTES_MAX) {
      output.frame(owned.readRetainedSlice(SizeLimits.PAYLOAD_BYTES_MAX), -1, null, more, false, 0);
    }
    output.frame(owned, consumedOffset, context, false, halfClose, closeCode);
  }

  private void park(
      ByteBuf owned,
      long consumedOffset,
      byte @Nullable [] context,
      boolean whole,
      boolean halfClose,
      int closeCode) {
    int bytes = owned.readableBytes();
    boolean isPlain = !halfClose && closeCode == 0;
    if (isPlain && merge(owned, consumedOffset, context, whole)) {
      return;
    }
    boolean isCopied = isPlain && bytes <= mergedBytesMax();
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
        // What follows an acknowledgement belongs to the next reply: in one frame it would be taken
        // for the end of this one.
        || tail.consumedOffset != -1 && consumedOffset == -1 && owned.isReadable()
        || tail.payload.readableBytes() + owned.readableBytes() > mergedBytesMax()
        // What was cut off at the limit still takes its place in the buffer.
        || tail.payload.isReadable() && tail.payload.maxWritableBytes() < owned.readableBytes()) {
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
    return (int) Math.min(MERGED_BYTES_MAX, grantBytes);
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
