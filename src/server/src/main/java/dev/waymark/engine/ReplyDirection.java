package dev.waymark.engine;

import dev.waymark.engine.ReplyStream.HeldCommit;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.UpstreamControl.Push;
import dev.waymark.protocol.UpstreamControl.Released;
import dev.waymark.protocol.UpstreamFrame;
import io.netty.buffer.ByteBuf;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * From the owner to the client's socket: what came is checked, held until its commit is complete,
 * delivered, and paid with credit; pushes go between replies (rules 2, 4, 5 and 6). Confined to its
 * shard's thread.
 */
final class ReplyDirection {
  private final Connection connection;
  private final Shard shard;
  private final ReplyStream stream;
  private final ReplyDelivery delivery;
  private byte @Nullable [] context;
  private @Nullable PushQueue pushes;
  private boolean isCreditOwed;

  ReplyDirection(Connection connection, Shard shard, ClientSocket socket) {
    this.connection = connection;
    this.shard = shard;
    this.stream = new ReplyStream(shard.limits().grantBytes());
    this.delivery = new ReplyDelivery(stream, socket);
  }

  // --- inputs ---

  /** Which rule the frame breaks; null for none. */
  @Nullable CloseReason breachOf(Lane from, UpstreamFrame frame, long clientSentOffset) {
    int bytes = frame.payload().readableBytes();
    Ownership ownership = connection.ownership();
    if (frame.epoch() != ownership.epoch() || (stream.isEnded() && bytes > 0)) {
      return CloseReason.PROTOCOL;
    }
    boolean isReleased = frame.control() instanceof Released;
    if (isReleased && (ownership.handOver() == null || frame.more() || frame.close() != 0)) {
      return CloseReason.PROTOCOL;
    }
    if (frame.consumed() > clientSentOffset) {
      return CloseReason.FLOW_CONTROL;
    }
    if (from.isAcknowledging()) {
      return stream.isOverrunBy(bytes) ? CloseReason.FLOW_CONTROL : null;
    }
    boolean isUnfinished = frame.more() || stream.isHolding();
    if (isUnfinished && stream.isHeldTooLargeWith(bytes)) {
      return CloseReason.FLOW_CONTROL;
    }
    return isQueueFullFor(bytes) ? CloseReason.SLOW_CLIENT : null;
  }

  /** An owner without credit has sent so much: what the kernel was not offered yet is offered. */
  void makeRoomFor(int bytes) {
    if (delivery.isFlushDue() && isQueueFullFor(bytes)) {
      flush();
    }
  }

  /**
   * A frame of a commit of several.
   *
   * @return the whole commit, if this was its last frame
   */
  @Nullable HeldCommit hold(long nowNs, UpstreamFrame frame) {
    stream.hold(frame, nowNs + shard.limits().commitTimeoutNs());
    return frame.more() ? null : stream.takeHeld();
  }

  /** Bytes take effect. */
  void deliver(ByteBuf owned) {
    flushIfDue(delivery.write(owned));
  }

  /** A context takes effect; an empty one takes it away. */
  void context(byte[] committed) {
    context = committed.length == 0 ? null : committed;
  }

  /** What waits for the end of a reply goes behind it, before a FIN. */
  void endReply() {
    stream.endReply();
    if (pushes != null) {
      flushIfDue(pushes.onReplyEnd());
    }
  }

  /** The owner ends this direction. */
  void end() {
    stream.end();
    endPushes(null, 0);
  }

  /** Bytes from any upstream, for the place where a reply ends. */
  void push(long nowNs, Push push, Consumer<PushResult> reply) {
    if (stream.isEnded()) {
      reply.accept(PushResult.gone(push.id(), null, 0));
      return;
    }
    if (pushes == null) {
      pushes = new PushQueue(stream, delivery, shard.limits());
    }
    flushIfDue(
        pushes.offer(nowNs, push, reply, connection.ownership().epoch(), shard.isOverBudget()));
  }

  /** Some pushes may have waited too long. */
  void expirePushes(long nowNs) {
    if (pushes != null) {
      pushes.onDeadline(nowNs);
    }
  }

  /** Nothing more is written. */
  void endPushes(@Nullable CloseReason reason, long unixMs) {
    if (pushes != null) {
      pushes.onEnd(reason, unixMs);
    }
  }

  /** The connection has left this owner, and has another epoch. */
  void onLeft(Lane owner, int epoch) {
    stream.dropHeld();
    if (owner.isNeverAcknowledging()) {
      // Nobody is asked for the request of an unfinished reply again: the next one is a new reply.
      stream.endReply();
    }
    if (pushes != null) {
      pushes.onEpoch(epoch);
    }
  }

  /** Sends credit, now if it is much, else soon, with data or without. */
  void grantCredit(long nowNs, Lane owner) {
    if (!owner.isAcknowledging() || stream.isEnded()) {
      return;
    }
    if (stream.isCreditDue()) {
      stream.granted();
      owner.sender().limit(connection, stream.limitOffset());
    } else if (!isCreditOwed && stream.creditBytes() > 0) {
      isCreditOwed = true;
      shard.oweCredit(nowNs, connection);
    }
  }

  /**
   * Sends what is owed since {@link Shard#oweCredit}.
   *
   * @param owner null: there is nobody to send it to
   */
  void sendOwedCredit(@Nullable Lane owner) {
    isCreditOwed = false;
    boolean isOwed = !stream.isEnded() && stream.creditBytes() > 0;
    if (isOwed && owner != null && owner.isAcknowledging()) {
      stream.granted();
      owner.sender().limit(connection, stream.limitOffset());
    }
  }

  /** The limit that travels with data, if there is credit. */
  long limitToSend(Lane owner) {
    if (!owner.isAcknowledging() || stream.creditBytes() <= 0) {
      return LaneTransport.NO_LIMIT;
    }
    stream.granted();
    return stream.limitOffset();
  }

  /** Hands the turn's replies to the kernel. */
  void flush() {
    delivery.flush();
  }

  // --- outputs ---

  ReplyStream stream() {
    return stream;
  }

  ReplyDelivery delivery() {
    return delivery;
  }

  byte @Nullable [] context() {
    return context;
  }

  boolean isPushWaiting() {
    return pushes != null && pushes.isWaiting();
  }

  /** When the first push is given up; only while any waits. */
  long pushDeadlineNs() {
    return pushes == null ? 0 : pushes.deadlineNs();
  }

  /** Without credit only the client's own requests can be held back (rule 5). */
  boolean isQueueLong(Lane owner) {
    return !owner.isAcknowledging()
        && stream.queuedBytes() > shard.limits().replyQueueBytesMax() / 2;
  }

  /**
   * Memory of replies that wait for the socket, those of an unfinished commit, and what is pushed.
   */
  long heldBytes() {
    long pieces = stream.pieces() + delivery.pushedPieces();
    return delivery.queuedBytes()
        + stream.heldBytes()
        + pieces * shard.limits().pieceBytes()
        + (pushes == null ? 0 : pushes.heldBytes());
  }

  // --- transitions ---

  private boolean isQueueFullFor(int bytes) {
    return stream.queuedBytes() + stream.heldBytes() + bytes > shard.limits().replyQueueBytesMax();
  }

  private void flushIfDue(boolean isDue) {
    if (isDue) {
      shard.flushAtTurnEnd(connection);
    }
  }
}
