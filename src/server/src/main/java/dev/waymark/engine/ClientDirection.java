package dev.waymark.engine;

import dev.waymark.engine.ClientStream.Chunk;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.SizeLimits;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * From the client's socket to the owner: sends what came as far as lane, window and leader let it,
 * says what waits here, and pauses the reading (rules 1, 2, 3, 6 and 10). Confined to its shard's
 * thread.
 */
final class ClientDirection {
  private final Connection connection;
  private final Shard shard;
  private final ClientStream stream = new ClientStream();

  private int partialBytes;
  private @Nullable CloseReason breach;
  private long breachDeadlineNs;
  private boolean isAwaitingLeader;
  private long leaderDeadlineNs;
  private boolean isReadingPaused;

  ClientDirection(Connection connection, Shard shard) {
    this.connection = connection;
    this.shard = shard;
  }

  // --- inputs ---

  /**
   * Bytes came.
   *
   * @param owner null: they wait
   * @return whether there may be more to send
   */
  boolean receive(long nowNs, @Nullable Lane owner, ByteBuf owned, boolean isLast) {
    if (isConsumed()) {
      connection.progress().onServed(shard.elapsedNs(nowNs));
    }
    if (owner == null || !stream.isEmpty() || !canPass(owner, owned.readableBytes())) {
      stream.enqueue(owned, isLast);
      return true;
    }
    long offset = stream.sentOffset();
    if (!isAwaitingOwner()) {
      connection.progress().onProgress(nowNs);
    }
    stream.pass(owned, isLast, !owner.isNeverAcknowledging());
    send(owner, offset, owned, isLast);
    return false;
  }

  /** The client sent FIN, after all its bytes. */
  void end() {
    stream.end();
  }

  /**
   * The client's bytes cannot be cut into messages from here on.
   *
   * @return whether this is new
   */
  boolean breach(long nowNs, CloseReason reason) {
    if (breach != null) {
      return false;
    }
    breach = reason;
    extendBreach(nowNs);
    return true;
  }

  /** The owner may go on with the messages before the breach for as long as it makes progress. */
  void extendBreach(long nowNs) {
    breachDeadlineNs = nowNs + shard.limits().lingerTimeoutNs();
  }

  /** So many bytes of a message that is not complete wait at the edge. */
  void partial(int bytes) {
    partialBytes = bytes;
  }

  /** Sends as much as may be sent now; what may not is taken up again when that changes. */
  void pump(long nowNs, Lane owner) {
    if (!isAwaitingOwner()) {
      connection.progress().onProgress(nowNs);
    }
    while (isTakingData(owner)) {
      long offset = stream.sentOffset();
      Chunk chunk = stream.next(owner.windowBytes(), !owner.isNeverAcknowledging());
      if (chunk == null) {
        break;
      }
      send(owner, offset, chunk.payload(), chunk.isLast());
    }
    boolean isHeldHere = connection.ownership().handOver() != null || owner.isHeldBack();
    if (stream.isEndToBeSent() && breach == null && !isHeldHere) {
      stream.endSent();
      owner.sender().halfClose(connection, stream.sentOffset());
    } else if (!stream.isEmpty() && !isHeldHere) {
      waitFor(nowNs, owner);
    }
    awaitLeader(nowNs, owner);
  }

  /** Something changed that pauses the reading of the client, or no longer does (rule 10). */
  void updateReading() {
    boolean isPaused = isReadingToPause(connection.lane());
    if (isPaused != isReadingPaused) {
      isReadingPaused = isPaused;
      if (isPaused) {
        connection.listener().counters().add(Counter.READING_PAUSED, 1);
        connection.socket().pauseReading();
      } else {
        connection.socket().resumeReading();
      }
    }
  }

  // --- outputs ---

  ClientStream stream() {
    return stream;
  }

  /** Why it cannot be read further; null while it can. */
  @Nullable CloseReason breach() {
    return breach;
  }

  /** Until when the owner has time for the messages before the breach. */
  long breachDeadlineNs() {
    return breachDeadlineNs;
  }

  /** Bytes wait here because their pool has no leader. */
  boolean isAwaitingLeader() {
    return isAwaitingLeader;
  }

  /** How long they do. */
  long leaderDeadlineNs() {
    return leaderDeadlineNs;
  }

  /** An owner was sent bytes that it has not consumed. */
  boolean isAwaitingOwner() {
    return stream.sentOffset() > stream.consumedOffset();
  }

  boolean isWindowFull(Lane owner) {
    return !stream.isEmpty() && stream.room(owner.windowBytes()) <= 0;
  }

  /** All that came was sent and consumed; FIN may be still to come. */
  boolean isConsumed() {
    return stream.consumedOffset() == stream.receivedOffset();
  }

  /** No part of a message waits at the edge. */
  boolean isBetweenMessages() {
    return partialBytes == 0;
  }

  /** The client has ended its direction at a place of which the owner may know; else -1. */
  long endedAt() {
    return stream.isEnded() && breach == null ? stream.receivedOffset() : -1;
  }

  boolean isReadingPaused() {
    return isReadingPaused;
  }

  /** Memory of bytes that wait to be sent, or may have to be sent again. */
  long heldBytes() {
    return stream.heldBytes() + (long) stream.pieces() * shard.limits().pieceBytes();
  }

  /** The same, with what waits at the edge. */
  long heldBytesWithPartial() {
    return heldBytes() + partialBytes;
  }

  // --- transitions ---

  private boolean isReadingToPause(@Nullable Lane owner) {
    if (owner != null) {
      return !stream.isEmpty() || shard.isOverBudget() || connection.replies().isQueueLong(owner);
    }
    return connection.isWaiting()
        && (heldBytes() >= connection.pool().options().noUpstreamBytesMax()
            || shard.isOverBudget());
  }

  private boolean canPass(Lane owner, int bytes) {
    return isTakingData(owner)
        && bytes <= SizeLimits.PAYLOAD_BYTES_MAX
        && bytes <= stream.room(owner.windowBytes());
  }

  /** Nothing more is sent in an epoch that is to be handed over (rule 9). */
  private boolean isTakingData(Lane owner) {
    return owner.isWritable() && !owner.isHeldBack() && connection.ownership().handOver() == null;
  }

  private void send(Lane owner, long offset, ByteBuf owned, boolean isLast) {
    owner.sender().data(connection, offset, owned, isLast, connection.replies().limitToSend(owner));
    if (owner.isNeverAcknowledging()) {
      stream.consumeAllSent();
    }
  }

  private void waitFor(long nowNs, Lane owner) {
    if (owner.isWritable()) {
      owner.onWindowFull(nowNs);
    } else {
      owner.sender().stall(connection);
    }
  }

  /** A pool that follows its leader has none: new bytes wait here, from now on or no longer. */
  private void awaitLeader(long nowNs, Lane owner) {
    boolean isAwaiting = owner.isHeldBack() && (!stream.isEmpty() || stream.isEndToBeSent());
    if (isAwaiting && !isAwaitingLeader) {
      leaderDeadlineNs = nowNs + connection.pool().options().noUpstreamWaitNs();
      shard.arm(connection.deadlines().node(), leaderDeadlineNs);
    }
    isAwaitingLeader = isAwaiting;
  }
}
