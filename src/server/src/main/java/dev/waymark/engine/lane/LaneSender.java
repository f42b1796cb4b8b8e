package dev.waymark.engine.lane;

import dev.waymark.engine.base.Counter;
import dev.waymark.engine.base.Counters;
import dev.waymark.engine.base.Limits;
import dev.waymark.engine.connection.Owner.Attached;
import dev.waymark.engine.stream.ReplyDirection;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Hello;
import dev.waymark.protocol.Open;
import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.UpstreamFrame;
import io.netty.buffer.ByteBuf;
import java.util.LinkedHashSet;

/**
 * The sending side of one lane: frames gather in its transport and leave together, at the end of
 * the turn or when they fill a batch. Connections with more to send wait here while the transport
 * is full. Frames may be sent only while the lane is open; {@link #isWritable} may be asked at any
 * time. Confined to its shard's thread.
 */
final class LaneSender {
  /**
   * How many answers, to pushes and to frames for unknown connections, may wait while the transport
   * is full.
   */
  static final int UNREAD_ANSWERS_MAX = 10_000;

  private final Limits limits;
  private final Counters counters;
  private final LaneTransport transport;
  private final Runnable flush;
  private final Runnable flushAtTurnEnd;
  private final LinkedHashSet<Attached> awaitingWritable = new LinkedHashSet<>();
  private boolean isWritable;
  private boolean isFlushDue;
  private int unreadAnswers;
  private long pingId;

  /**
   * @param flush called when a batch is full; calls {@link #flush}
   * @param flushAtTurnEnd called after the first frame of a batch
   */
  LaneSender(
      Limits limits,
      Counters counters,
      LaneTransport transport,
      Runnable flush,
      Runnable flushAtTurnEnd) {
    this.limits = limits;
    this.counters = counters;
    this.transport = transport;
    this.flush = flush;
    this.flushAtTurnEnd = flushAtTurnEnd;
  }

  // --- inputs from connections ---

  void open(Attached connection, Open open) {
    transport.open(connection.sequence(), connection.epoch(), open);
    sent();
  }

  /**
   * @param owned the reference passes to this method
   * @param limit a new limit that travels along, or {@link ReplyDirection#NO_LIMIT}
   */
  void data(Attached connection, long offset, ByteBuf owned, boolean isLast, long limit) {
    counters.add(Counter.UPSTREAM_SENT_BYTES, owned.readableBytes());
    transport.data(connection.sequence(), connection.epoch(), offset, owned, isLast, limit);
    sent();
  }

  void limit(Attached connection, long limit) {
    transport.limit(connection.sequence(), connection.epoch(), limit);
    sent();
  }

  void halfClose(Attached connection, long offset) {
    transport.halfClose(connection.sequence(), connection.epoch(), offset);
    sent();
  }

  /** Asks for the connection to be handed over. */
  void release(Attached connection) {
    transport.release(connection.sequence(), connection.epoch());
    sent();
  }

  void close(Attached connection, CloseReason reason) {
    transport.close(connection.sequence(), connection.epoch(), reason);
    sent();
  }

  /**
   * The connection has bytes to send and the transport is full: it is resumed when there is room.
   */
  void awaitWritable(Attached connection) {
    awaitingWritable.add(connection);
  }

  /** The connection is no longer attached. */
  void forget(Attached connection) {
    awaitingWritable.remove(connection);
  }

  // --- inputs from the lane and its announcer ---

  void hello(Hello hello) {
    isWritable = true;
    transport.hello(hello);
    sent();
  }

  /** Sends a Ping; returns its number. */
  long ping() {
    transport.ping(++pingId);
    sent();
    return pingId;
  }

  /** Answers that the connection is unknown. */
  void answer(UpstreamFrame frame) {
    transport.close(frame.connection(), frame.epoch(), CloseReason.UNKNOWN_CONNECTION);
    answered();
  }

  /** Answers a push. */
  void answer(PushResult result) {
    transport.pushResult(result);
    answered();
  }

  /** For announcements, which must be followed by {@link #sent}; only while writable. */
  LaneTransport transport() {
    return transport;
  }

  /** Called after each frame given to the transport; flushes a full batch. */
  void sent() {
    counters.add(Counter.FRAMES_SENT, 1);
    if (transport.batchBytes() >= limits.batchBytesMax()) {
      flush.run();
    } else if (!isFlushDue) {
      isFlushDue = true;
      flushAtTurnEnd.run();
    }
  }

  /**
   * Sends the gathered frames.
   *
   * @return whether the transport has become full
   */
  boolean flush() {
    isFlushDue = false;
    if (transport.batchBytes() > 0) {
      counters.add(Counter.BATCHES_SENT, 1);
    }
    boolean wasWritable = isWritable;
    isWritable = transport.flush();
    return wasWritable && !isWritable;
  }

  /** The transport takes more again. */
  void onWritable() {
    isWritable = true;
  }

  /** Resumes the connections that waited for the transport. */
  void resumeWaiting(long nowNs) {
    for (int left = awaitingWritable.size();
        left > 0 && isWritable && !awaitingWritable.isEmpty();
        left--) {
      awaitingWritable.removeFirst().onOwnerChanged(nowNs);
    }
  }

  /** The lane is broken. */
  void onBroken() {
    isWritable = false;
    awaitingWritable.clear();
  }

  // --- outputs ---

  Counters counters() {
    return counters;
  }

  boolean isWritable() {
    return isWritable;
  }

  /** Whether too many answers wait, because the upstream does not read. */
  boolean isUnread() {
    return unreadAnswers > UNREAD_ANSWERS_MAX;
  }

  private void answered() {
    sent();
    unreadAnswers = isWritable ? 0 : unreadAnswers + 1;
  }
}
