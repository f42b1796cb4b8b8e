package dev.waymark.upstream;

import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Hello;
import dev.waymark.protocol.Open;
import dev.waymark.protocol.ResumeState;
import dev.waymark.protocol.UpstreamFrame;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One attachment of a connection to this upstream: connects the handler, the two directions of
 * bytes and the lane. Confined to its lane's lock; other threads use {@link AttachedConnection}.
 */
final class Attachment implements ReplyQueue.Output {
  private static final Logger log = LoggerFactory.getLogger(Attachment.class);
  private final ServerLane lane;
  private final boolean isAcknowledging;
  private final long connection;
  private final int epoch;
  private final AttachedConnection attached;
  private final ClientBytes clientBytes;
  private final ReplyQueue replies;
  private final HandOver handOver;
  private @Nullable ConnectionHandler handler;
  private long consumedOffset;
  private boolean isClientEnded;
  private boolean isBlocked;
  private boolean isEnding;
  private boolean isEnded;

  Attachment(
      ServerLane lane,
      UpstreamOptions options,
      long connection,
      int epoch,
      Open open,
      Hello hello) {
    this.lane = lane;
    this.isAcknowledging = options.acknowledge();
    this.connection = connection;
    this.epoch = epoch;
    ResumeState resume = open.resumeState();
    this.consumedOffset = resume == null ? 0 : resume.firstOffset();
    this.clientBytes = new ClientBytes(this::deliver, options, open, consumedOffset);
    this.replies =
        new ReplyQueue(
            this,
            isAcknowledging,
            options.isPinned(),
            open.limit(),
            resume == null ? open.limit() : resume.replyWindowBytes(),
            resume == null ? 0 : resume.committed(),
            resume == null ? 0 : resume.committedSinceConsumed());
    this.handOver = new HandOver(resume != null && resume.committedSinceConsumed() > 0);
    boolean isHalfClosed = resume != null && resume.isRepliesEnded();
    this.attached =
        new AttachedConnection(this, options, open, hello, isHalfClosed, consumedOffset);
    attached.onReplyWindow(replies.replyWindowBytes());
  }

  // --- inputs of the lane ---

  void onOpen(ConnectionHandler.Factory factory) {
    guard(() -> handler = factory.open(attached));
  }

  void onData(ByteBuf borrowed, long offset, boolean last) {
    // The limit in the same frame may have made room, and the handler may have used that to close.
    if (isEnded || handOver.isBegun()) {
      return;
    }
    if (isClientEnded) {
      refuse(CloseReason.PROTOCOL);
      return;
    }
    CloseReason refusal = clientBytes.onData(borrowed, offset, last, consumedOffset);
    if (refusal != null) {
      refuse(refusal);
    }
  }

  void onLimit(long limit) {
    replies.onLimit(limit);
    attached.onReplyWindow(replies.replyWindowBytes());
    settle();
  }

  /** Called when the client's stream ends at this offset. */
  void onHalfClose(long offset) {
    ConnectionHandler current = handler;
    if (handOver.isBegun()) {
      return; // The next owner will be told.
    }
    if (offset != clientBytes.receivedOffset()) {
      refuse(CloseReason.PROTOCOL);
      return;
    }
    boolean isRepeated = isClientEnded;
    isClientEnded = true;
    if (current != null && !isEnding && !isRepeated) {
      guard(current::onHalfClose);
    }
  }

  /**
   * Called when the bridge wants to move the connection. It sends no more bytes for this
   * attachment.
   */
  void onRelease() {
    ConnectionHandler current = handler;
    if (isEnded || isEnding || handOver.isBegun() || current == null) {
      return;
    }
    handOver.begin();
    clientBytes.discard();
    guard(current::onRelease);
    releaseIfDone();
  }

  /** Called when the transport has room again. */
  void onReady() {
    isBlocked = false;
    replies.pump();
    settle();
  }

  /** Called when the attachment has ended and the lane has removed it. */
  void onEnd(CloseReason reason) {
    if (isEnded) {
      return;
    }
    isEnded = true;
    attached.onEnd();
    replies.discard();
    clientBytes.discard();
    ConnectionHandler current = handler;
    if (current != null) {
      try {
        current.onClose(reason);
      } catch (RuntimeException exception) {
        log.warn("a handler threw an exception in onClose, connection {}", mark(), exception);
      }
    }
  }

  // --- inputs of the handler, by way of AttachedConnection ---

  /**
   * Sends a reply, a half-close or a close after everything that is waiting. Dropped once the
   * attachment is ending.
   */
  void add(
      ByteBuf owned,
      long consumed,
      byte @Nullable [] context,
      boolean whole,
      boolean halfClose,
      int closeCode) {
    if (isEnded || isEnding) {
      owned.release();
      return;
    }
    isEnding = closeCode != 0;
    replies.add(owned, consumed, context, whole, halfClose, closeCode);
    settle();
  }

  /** Closes the connection: DONE after the waiting replies; any other reason discards them. */
  void close(CloseReason reason) {
    if (isEnded) {
      return;
    }
    if (reason == CloseReason.DONE) {
      add(Unpooled.EMPTY_BUFFER, UpstreamFrame.ABSENT, null, true, false, reason.wireCode());
    } else {
      refuse(reason);
    }
  }

  /** Called when a long request is still being worked on. */
  void onWorking() {
    if (!isEnded && !isEnding && lane.isReady()) {
      frame(Unpooled.EMPTY_BUFFER, UpstreamFrame.ABSENT, null, false, false, 0);
    }
  }

  /** Called when the handler wants to hand over without finishing. */
  void onReleaseRequested() {
    handOver.request();
    releaseIfDone();
  }

  // --- ReplyQueue.Output ---

  @Override
  public boolean isReady() {
    return lane.isReady();
  }

  @Override
  public void frame(
      ByteBuf owned,
      long consumed,
      byte @Nullable [] context,
      boolean more,
      boolean halfClose,
      int closeCode) {
    if (consumed > consumedOffset) {
      consumedOffset = consumed;
    }
    handOver.onFrame(owned.isReadable(), consumed);
    lane.data(
        connection,
        epoch,
        owned,
        isAcknowledging ? consumed : UpstreamFrame.ABSENT,
        isAcknowledging ? context : null,
        more,
        halfClose,
        closeCode);
    if (closeCode != 0) {
      lane.endAttachment(this, CloseReason.ofWireCode(closeCode));
    }
  }

  // --- outputs, any thread ---

  /** The view for handlers and other threads. */
  AttachedConnection attached() {
    return attached;
  }

  ServerLane lane() {
    return lane;
  }

  String mark() {
    return attached.mark();
  }

  int epoch() {
    return epoch;
  }

  /** The connection's number on its lane. */
  long connection() {
    return connection;
  }

  // --- outputs, inside the lane ---

  /** The waiting replies. */
  ReplyQueue replies() {
    return replies;
  }

  // --- transitions ---

  private void refuse(CloseReason reason) {
    replies.discard();
    isEnding = true;
    frame(Unpooled.EMPTY_BUFFER, UpstreamFrame.ABSENT, null, false, false, reason.wireCode());
  }

  /** To be called after anything that may have moved the queue. */
  private void settle() {
    if (!isEnded) {
      settleQueue();
      releaseIfDone();
    }
  }

  /**
   * Hands over if all replies have left, and everything is consumed or the handler has asked for
   * it.
   */
  private void releaseIfDone() {
    boolean areAllRepliesSent = !replies.isWaiting() && !attached.hasMail();
    if (!isEnded
        && !isEnding
        && areAllRepliesSent
        && handOver.isDue(attached.receivedOffset(), consumedOffset)) {
      lane.released(this, handOver.finalConsumed(consumedOffset));
    }
  }

  /**
   * Tells the lane if replies start waiting for the transport, and the handler if none waits any
   * more.
   */
  private void settleQueue() {
    boolean wasWaiting = attached.isWaiting();
    if (!wasWaiting && !replies.isWaiting()) {
      return;
    }
    attached.onQueue(replies);
    boolean isWaiting = replies.isWaiting();
    if (isWaiting && !isBlocked && !lane.isReady()) {
      isBlocked = true;
      lane.block(this);
    }
    ConnectionHandler current = handler;
    if (wasWaiting && !isWaiting && current != null) {
      guard(current::onWritable);
    }
  }

  private void deliver(ByteBuf borrowed, long endOffset) {
    ConnectionHandler current = handler;
    if (current == null || isEnding) {
      return;
    }
    attached.onDelivered(endOffset);
    // Not through guard, which would allocate for each frame.
    try {
      current.onData(borrowed, endOffset);
    } catch (RuntimeException exception) {
      onException(exception);
    }
  }

  /** Calls the handler. If it throws, only its own connection ends. */
  private void guard(Runnable call) {
    try {
      call.run();
    } catch (RuntimeException exception) {
      onException(exception);
    }
  }

  private void onException(RuntimeException exception) {
    log.warn("a handler threw an exception; closing connection {}", mark(), exception);
    close(CloseReason.ABORT);
  }
}
