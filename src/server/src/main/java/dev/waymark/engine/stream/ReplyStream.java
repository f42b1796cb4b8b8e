package dev.waymark.engine.stream;

import dev.waymark.protocol.Check;
import dev.waymark.protocol.UpstreamFrame;
import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The reply direction of one connection: what came from the owner, what was committed, what the
 * client's socket took, and how far the owner may go (rules 2 and 4). A reply takes effect only as
 * a whole commit, so a lost owner leaves no half-told answer behind. All offsets are absolute.
 * Confined to its shard's thread.
 */
public final class ReplyStream {
  /** A commit whose last frame has not come; none of it has taken effect. */
  public static final class HeldCommit {
    private final ArrayDeque<ByteBuf> payloads = new ArrayDeque<>();
    private final long deadlineNs;
    private long bytes;
    private long consumed = UpstreamFrame.ABSENT;
    private byte @Nullable [] context;
    private boolean isHalfClose;
    private int close;

    private HeldCommit(long deadlineNs) {
      this.deadlineNs = deadlineNs;
    }

    private void add(UpstreamFrame frame) {
      if (frame.payload().isReadable()) {
        // A copy, since a slice would keep its whole batch for as long as the commit is held.
        payloads.add(frame.payload().copy());
        bytes += frame.payload().readableBytes();
      }
      consumed = Math.max(consumed, frame.consumed());
      context = frame.context() == null ? context : frame.context();
      isHalfClose |= frame.halfClose();
      close = frame.close() == 0 ? close : frame.close();
    }

    /** The caller owns each payload. */
    public ArrayDeque<ByteBuf> payloads() {
      return payloads;
    }

    public long consumed() {
      return consumed;
    }

    public byte @Nullable [] context() {
      return context;
    }

    public boolean isHalfClose() {
      return isHalfClose;
    }

    public int close() {
      return close;
    }
  }

  private final int replyWindowBytes;
  private long receivedOffset;
  private long committedOffset;
  private long replyStartOffset;
  private long writtenOffset;
  private long limitOffset;
  private int queuedBuffers;
  private boolean isEnded;
  private @Nullable HeldCommit held;

  ReplyStream(int replyWindowBytes) {
    this.replyWindowBytes = replyWindowBytes;
    this.limitOffset = replyWindowBytes;
  }

  // --- inputs ---

  /** Bytes came from the owner, to take effect now or later. */
  public void receive(int bytes) {
    receivedOffset += bytes;
  }

  /** A frame of a commit of several frames. */
  void hold(UpstreamFrame frame, long deadlineNs) {
    if (held == null) {
      held = new HeldCommit(deadlineNs);
    }
    held.add(frame);
  }

  /** The held commit is complete; the caller applies it. */
  HeldCommit takeHeld() {
    HeldCommit complete = held;
    Check.that(complete != null, "a commit is held");
    held = null;
    return Objects.requireNonNull(complete);
  }

  /** The owner is gone, and with it the rest of the commit: drops the first part. */
  public void dropHeld() {
    if (held != null) {
      held.payloads.forEach(ByteBuf::release);
      receivedOffset -= held.bytes;
      held = null;
    }
  }

  /** A commit with {@code consumed} took effect: a reply ends here (rule 4). */
  void endReply() {
    replyStartOffset = committedOffset;
  }

  /** A buffer takes effect and waits for the client's socket. */
  void take(int bytes) {
    committedOffset += bytes;
    queuedBuffers++;
  }

  /** The client's socket took bytes, and with them this many whole buffers. */
  void written(long bytes, int buffers) {
    writtenOffset += bytes;
    queuedBuffers -= buffers;
  }

  /** The owner has ended this direction. */
  void end() {
    isEnded = true;
  }

  /** The credit was sent. */
  public void creditSent() {
    limitOffset = windowEndOffset();
  }

  // --- outputs ---

  /**
   * Whether this many more bytes pass the owner's limit. None never do: a former owner without
   * credit may have passed it already.
   */
  boolean isOverrunBy(int bytes) {
    return bytes > 0 && receivedOffset + bytes > limitOffset;
  }

  /** Whether this many more bytes make the incomplete commit larger than any may be (rule 4). */
  boolean isCommitTooLargeWith(int bytes) {
    return heldBytes() + bytes > replyWindowBytes;
  }

  /** How much further the owner could be allowed to go. */
  long creditBytes() {
    return windowEndOffset() - limitOffset;
  }

  /** Whether so much is free that the owner should know at once. */
  boolean isCreditDue() {
    return creditBytes() >= replyWindowBytes / 2;
  }

  /** The limit after {@link #creditSent}. */
  long windowEndOffset() {
    return writtenOffset + replyWindowBytes;
  }

  public long limitOffset() {
    return limitOffset;
  }

  public long committedOffset() {
    return committedOffset;
  }

  /** Bytes committed since a reply last ended. */
  public long committedSinceConsumed() {
    return committedOffset - replyStartOffset;
  }

  /** No reply is under way. */
  public boolean isBetweenReplies() {
    return committedSinceConsumed() == 0;
  }

  long writtenOffset() {
    return writtenOffset;
  }

  /** Committed bytes that wait for the client's socket. */
  public long queuedBytes() {
    return committedOffset - writtenOffset;
  }

  /** Bytes of an incomplete commit. */
  long heldBytes() {
    return held == null ? 0 : held.bytes;
  }

  /** How many buffers are queued or held. */
  int buffers() {
    return queuedBuffers + (held == null ? 0 : held.payloads.size());
  }

  public boolean isHolding() {
    return held != null;
  }

  /** The held commit will end the connection. */
  public boolean isHoldingClose() {
    return held != null && held.close != 0;
  }

  /** When the held commit is given up; only while holding. */
  public long holdDeadlineNs() {
    return Objects.requireNonNull(held).deadlineNs;
  }

  public boolean isEnded() {
    return isEnded;
  }

  public void checkInvariants() {
    Check.that(writtenOffset <= committedOffset, "written beyond committed");
    Check.that(committedOffset <= receivedOffset, "committed beyond received");
    Check.that(limitOffset <= windowEndOffset(), "the limit is beyond the reply window");
    Check.that(receivedOffset - committedOffset == heldBytes(), "held is the gap");
    Check.that(
        queuedBuffers >= 0 && (queuedBytes() == 0 || queuedBuffers > 0),
        "what is queued is in buffers");
  }
}
