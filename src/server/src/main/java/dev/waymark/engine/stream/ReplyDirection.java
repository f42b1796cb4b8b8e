package dev.waymark.engine.stream;

import dev.waymark.engine.base.Limits;
import dev.waymark.engine.stream.ReplyStream.HeldCommit;
import dev.waymark.protocol.BridgeFrame;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.UpstreamControl.Push;
import dev.waymark.protocol.UpstreamFrame;
import io.netty.buffer.ByteBuf;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The direction from the owner to the client's socket: holds replies until their commit is
 * complete, delivers them, and grants credit; writes pushes between replies (rules 2, 4, 5 and 6).
 * A state machine whose effects go to the client's socket only; confined to its shard's thread.
 *
 * <p>Inputs that may write return whether a flush has become due: the caller then has {@link
 * #flush} called at the end of the turn.
 */
public final class ReplyDirection {
  /** What to do about credit that has become free. */
  public enum Credit {
    NONE,
    /** Send {@link ReplyStream#limitOffset} now. */
    SEND,
    /** Call {@link #takeOwedCredit} after a delay. */
    OWE
  }

  /** Stands for a limit that does not travel with data. */
  public static final long NO_LIMIT = BridgeFrame.ABSENT;

  private final Limits limits;
  private final ReplyStream stream;
  private final ReplyDelivery delivery;
  private byte @Nullable [] context;
  private @Nullable PushQueue pushes;
  private boolean isCreditOwed;

  public ReplyDirection(Limits limits, ClientSocket socket) {
    this.limits = limits;
    this.stream = new ReplyStream(limits.replyWindowBytes());
    this.delivery = new ReplyDelivery(stream, socket);
  }

  // --- inputs ---

  /** An owner without credit has sent this much: makes room by flushing what is queued. */
  public void makeRoomFor(int bytes) {
    if (delivery.isFlushDue() && isQueueFullFor(bytes)) {
      flush();
    }
  }

  /**
   * Holds a frame of a commit with several frames.
   *
   * @return the complete commit if this was its last frame, else null
   */
  public @Nullable HeldCommit hold(long nowNs, UpstreamFrame frame) {
    stream.hold(frame, nowNs + limits.commitTimeoutNs());
    return frame.more() ? null : stream.takeHeld();
  }

  /**
   * Reply bytes take effect.
   *
   * @param owned the reference passes to this method
   * @return whether a flush has become due
   */
  public boolean deliver(ByteBuf owned) {
    return delivery.write(owned);
  }

  /** A context takes effect; an empty one clears it. */
  public void context(byte[] committed) {
    context = committed.length == 0 ? null : committed;
  }

  /**
   * A reply ends: writes the waiting pushes after it.
   *
   * @return whether a flush has become due
   */
  public boolean endReply() {
    stream.endReply();
    return pushes != null && pushes.onReplyEnd();
  }

  /** The owner ends this direction. */
  public void end() {
    stream.end();
    endPushes(null, 0);
  }

  /**
   * A push from any upstream, to be written between replies.
   *
   * @param reply gets the result, once, now or later
   * @return whether a flush has become due
   */
  public boolean push(
      long nowNs, Push push, Consumer<PushResult> reply, int epoch, boolean isOverBudget) {
    if (stream.isEnded()) {
      reply.accept(PushResult.gone(push.id(), null, 0));
      return false;
    }
    if (pushes == null) {
      pushes = new PushQueue(stream, delivery, limits);
    }
    return pushes.offer(nowNs, push, reply, epoch, isOverBudget);
  }

  /** Answers pushes that have waited too long. */
  public void expirePushes(long nowNs) {
    if (pushes != null) {
      pushes.onDeadline(nowNs);
    }
  }

  /** Nothing more is written. */
  public void endPushes(@Nullable CloseReason reason, long unixMs) {
    if (pushes != null) {
      pushes.onEnd(reason, unixMs);
    }
  }

  /**
   * The connection has left its owner.
   *
   * @param epoch the next epoch
   */
  public void onLeft(boolean wasAtMostOnce, int epoch) {
    stream.dropHeld();
    if (wasAtMostOnce) {
      // The request of an unfinished reply is not replayed: what follows is a new reply.
      stream.endReply();
    }
    if (pushes != null) {
      pushes.onEpoch(epoch);
    }
  }

  /** Credit of an owner that acknowledges may have become free. */
  public Credit freeCredit() {
    if (stream.isEnded()) {
      return Credit.NONE;
    }
    if (stream.isCreditDue()) {
      stream.creditSent();
      return Credit.SEND;
    }
    if (isCreditOwed || stream.creditBytes() <= 0) {
      return Credit.NONE;
    }
    isCreditOwed = true;
    return Credit.OWE;
  }

  /**
   * The time has come for credit that was owed.
   *
   * @param isAcknowledging whether there is an owner that acknowledges
   * @return whether to send {@link ReplyStream#limitOffset}
   */
  public boolean takeOwedCredit(boolean isAcknowledging) {
    isCreditOwed = false;
    boolean isSent = isAcknowledging && !stream.isEnded() && stream.creditBytes() > 0;
    if (isSent) {
      stream.creditSent();
    }
    return isSent;
  }

  /** The limit that travels with data to an owner that acknowledges, if there is credit. */
  public long takeLimit() {
    if (stream.creditBytes() <= 0) {
      return NO_LIMIT;
    }
    stream.creditSent();
    return stream.limitOffset();
  }

  /** The client's socket took bytes, and with them this many buffers completely. */
  public void written(long bytes, int buffers) {
    delivery.written(bytes, buffers);
  }

  /** Hands the turn's replies to the kernel. */
  public void flush() {
    delivery.flush();
  }

  // --- outputs ---

  /** Returns the violation if the frame exceeds a bound, else null. */
  public @Nullable CloseReason overrunOf(UpstreamFrame frame, boolean isAcknowledging) {
    int bytes = frame.payload().readableBytes();
    if (isAcknowledging) {
      return stream.isOverrunBy(bytes) ? CloseReason.FLOW_CONTROL : null;
    }
    boolean isUnfinished = frame.more() || stream.isHolding();
    if (isUnfinished && stream.isCommitTooLargeWith(bytes)) {
      return CloseReason.FLOW_CONTROL;
    }
    return isQueueFullFor(bytes) ? CloseReason.SLOW_CLIENT : null;
  }

  public ReplyStream stream() {
    return stream;
  }

  /** Bytes that wait for the client's socket, including pushed ones. */
  public long queuedBytes() {
    return delivery.queuedBytes();
  }

  /** Bytes that the client's socket took, including pushed ones. */
  public long writtenBytes() {
    return delivery.writtenBytes();
  }

  /** Whether the kernel has taken anything since the last call; see {@link ReplyDelivery}. */
  public boolean hasMoved() {
    return delivery.hasMoved();
  }

  public byte @Nullable [] context() {
    return context;
  }

  public boolean isPushWaiting() {
    return pushes != null && pushes.isWaiting();
  }

  /** When the first push expires; only while any waits. */
  public long pushDeadlineNs() {
    return pushes == null ? 0 : pushes.deadlineNs();
  }

  /** Whether so much waits that an owner without credit should get no more requests (rule 5). */
  public boolean isQueueLong() {
    return stream.queuedBytes() > limits.replyQueueBytesMax() / 2;
  }

  /** The memory of replies that wait for the socket, of an unfinished commit, and of pushes. */
  public long heldBytes() {
    int buffers = stream.buffers() + delivery.pushedBuffers();
    return delivery.queuedBytes()
        + stream.heldBytes()
        + (long) buffers * limits.bufferOverheadBytes()
        + (pushes == null ? 0 : pushes.heldBytes());
  }

  private boolean isQueueFullFor(int bytes) {
    return stream.queuedBytes() + stream.heldBytes() + bytes > limits.replyQueueBytesMax();
  }
}
