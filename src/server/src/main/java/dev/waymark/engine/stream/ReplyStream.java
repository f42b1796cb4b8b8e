package dev.waymark.engine.stream;

import dev.waymark.protocol.Check;
import dev.waymark.protocol.UpstreamFrame;
import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The offsets of the reply direction of one connection: the bytes received from the owner,
 * committed, and taken by the client's socket, and how far the owner may go (rules 2 and 4). A
 * reply takes effect only as a whole commit, so a lost owner leaves no partial commit behind. All
 * offsets are absolute. Confined to its shard's thread.
 */
public final class ReplyStream {
  /** A commit in several frames; it takes effect when its last frame has come. */
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
        // A copy, because a slice would keep its whole batch in memory while the commit is held.
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

  /** Returns the held commit, which is complete; the caller applies it. */
  HeldCommit takeHeld() {
    HeldCommit complete = held;
    Check.that(complete != null, "a commit is held");
    held = null;
    return Objects.requireNonNull(complete);
  }

  /** The owner is gone, and with it the rest of its commit: drops the frames held. */
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

  /** The bytes of one buffer take effect and wait for the client's socket. */
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
   * Whether this many more bytes exceed the owner's limit. Never true for 0 bytes: a former owner
   * without credit may have exceeded the limit already.
   */
  boolean isOverrunBy(int bytes) {
    return bytes > 0 && receivedOffset + bytes > limitOffset;
  }

  /** Whether this many more bytes exceed the maximum size of a commit (rule 4). */
  boolean isCommitTooLargeWith(int bytes) {
    return heldBytes() + bytes > replyWindowBytes;
  }

  /** The free credit: how much the limit could be raised. */
  long creditBytes() {
    return windowEndOffset() - limitOffset;
  }

  /** Whether so much credit is free that it should be sent at once. */
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

  /** Bytes committed since the end of the last complete reply. */
  public long committedSinceConsumed() {
    return committedOffset - replyStartOffset;
  }

  /** Whether no reply is under way. */
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

  /** Whether the held commit contains a Close. */
  public boolean isHoldingClose() {
    return held != null && held.close != 0;
  }

  /** The deadline of the held commit; only while holding. */
  public long holdDeadlineNs() {
    return Objects.requireNonNull(held).deadlineNs;
  }

  public boolean isEnded() {
    return isEnded;
  }

  public void checkInvariants() {
    Check.that(writtenOffset <= committedOffset, "written is not beyond committed");
    Check.that(committedOffset <= receivedOffset, "committed is not beyond received");
    Check.that(limitOffset <= windowEndOffset(), "the limit is within the reply window");
    Check.that(
        receivedOffset - committedOffset == heldBytes(),
        "held bytes are those between committed and received");
    Check.that(
        queuedBuffers >= 0 && (queuedBytes() == 0 || queuedBuffers > 0),
        "queued bytes are in buffers");
  }
}
