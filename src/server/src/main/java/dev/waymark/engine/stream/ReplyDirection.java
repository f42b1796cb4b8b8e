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
 * From the owner to the client's socket: replies are held until their commit is complete, delivered
 * and paid with credit; pushes go between replies (rules 2, 4, 5 and 6). A state machine that
 * writes to the client's socket and knows nobody else; confined to its shard's thread.
 *
 * <p>Inputs that may write return whether a flush is due from now on: the caller has {@link #flush}
 * called at the end of the turn.
 */
public final class ReplyDirection {
  /** What to do about credit that has become free. */
  public enum Credit {
    NONE,
    /** Send {@link ReplyStream#limitOffset} now. */
    SEND,
    /** Call {@link #takeOwedCredit} soon. */
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

  /**
   * An owner without credit has sent this much: makes room by offering the kernel what is queued.
   */
  public void makeRoomFor(int bytes) {
    if (delivery.isFlushDue() && isQueueFullFor(bytes)) {
      flush();
    }
  }

  /**
   * A frame of a commit of several.
   *
   * @return the whole commit, if this was its last frame
   */
  public @Nullable HeldCommit hold(long nowNs, UpstreamFrame frame) {
    stream.hold(frame, nowNs + limits.commitTimeoutNs());
    return frame.more() ? null : stream.takeHeld();
  }

  /**
   * Reply bytes take effect.
   *
   * @param owned the reference passes to this method
   * @return a flush is due, and was not before
   */
  public boolean deliver(ByteBuf owned) {
    return delivery.write(owned);
  }

  /** A context takes effect; an empty one clears it. */
  public void context(byte[] committed) {
    context = committed.length == 0 ? null : committed;
  }

  /**
   * A reply ends: pushes that waited are written behind it.
   *
   * @return a flush is due, and was not before
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
   * Bytes from any upstream, for the place where a reply ends.
   *
   * @param reply told what became of them, once, now or later
   * @return a flush is due, and was not before
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

  /** Some pushes may have waited too long. */
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
   * @param epoch the next one
   */
  public void onLeft(boolean wasAtMostOnce, int epoch) {
    stream.dropHeld();
    if (wasAtMostOnce) {
      // Nobody is asked for the request of an unfinished reply again: the next one is a new reply.
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
   * @param isAcknowledging there is an owner, and it acknowledges
   * @return whether {@link ReplyStream#limitOffset} is to be sent
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

  /** Which bound the frame exceeds; null for none. */
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

  /** Bytes that wait for the client's socket, pushed ones too. */
  public long queuedBytes() {
    return delivery.queuedBytes();
  }

  /** Bytes that the client's socket took, pushed ones too. */
  public long writtenBytes() {
    return delivery.writtenBytes();
  }

  /** Whether the kernel took anything since the last question; see {@link ReplyDelivery}. */
  public boolean hasMoved() {
    return delivery.hasMoved();
  }

  public byte @Nullable [] context() {
    return context;
  }

  public boolean isPushWaiting() {
    return pushes != null && pushes.isWaiting();
  }

  /** When the first push is given up; only while any waits. */
  public long pushDeadlineNs() {
    return pushes == null ? 0 : pushes.deadlineNs();
  }

  /** So much waits for the client that one without credit is to be asked for no more (rule 5). */
  public boolean isQueueLong() {
    return stream.queuedBytes() > limits.replyQueueBytesMax() / 2;
  }

  /** Memory of replies that wait for the socket, of an unfinished commit, and of pushes. */
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
