package dev.waymark.engine.connection;

import dev.waymark.engine.connection.Owner.Attached;
import dev.waymark.engine.stream.ClientStream;
import dev.waymark.engine.stream.ClientStream.Chunk;
import dev.waymark.engine.stream.ReplyDirection;
import dev.waymark.protocol.SizeLimits;
import io.netty.buffer.ByteBuf;

/**
 * The direction from the client to the owner: sends bytes as far as lane, window and leader allow,
 * and keeps the rest (rules 1, 2, 3 and 6). A state machine whose effects go to the given owner
 * only; confined to its shard's thread.
 */
final class ClientDirection {
  private final Attached connection;
  private final ReplyDirection replies;
  private final ProgressClock progress;
  private final ClientStream stream = new ClientStream();

  private long violationDeadlineNs;
  private long leaderDeadlineNs;
  private boolean isAwaitingLeader;

  /**
   * @param connection addresses the frames
   * @param replies provides the limits that travel with data
   * @param progress told when an owner gets its first unconsumed bytes
   */
  ClientDirection(Attached connection, ReplyDirection replies, ProgressClock progress) {
    this.connection = connection;
    this.replies = replies;
    this.progress = progress;
  }

  // --- inputs ---

  /**
   * Sends bytes that have just come, if that is possible at once.
   *
   * @param isHandingOver as for {@link #pump}
   * @return false if the bytes were not taken and have to be enqueued
   */
  boolean pass(long nowNs, Owner owner, boolean isHandingOver, ByteBuf owned, boolean isLast) {
    int bytes = owned.readableBytes();
    boolean canPass =
        stream.isEmpty()
            && canSend(owner, isHandingOver)
            && bytes <= SizeLimits.PAYLOAD_BYTES_MAX
            && bytes <= stream.room(owner.windowBytes());
    if (!canPass) {
      return false;
    }
    long offset = stream.sentOffset();
    if (!stream.isAwaitingOwner()) {
      progress.onProgress(nowNs);
    }
    stream.pass(owned, isLast, !owner.isAtMostOnce());
    send(owner, offset, owned, isLast);
    return true;
  }

  /**
   * Sends as much as may be sent now.
   *
   * @param isHandingOver nothing more is sent while the owner is asked to hand over (rule 9)
   * @param leaderWaitNs how long bytes may wait for a leader
   * @return whether bytes wait for a leader now and did not before: {@link #leaderDeadlineNs} is
   *     set
   */
  boolean pump(long nowNs, Owner owner, boolean isHandingOver, long leaderWaitNs) {
    if (!stream.isAwaitingOwner()) {
      progress.onProgress(nowNs);
    }
    while (canSend(owner, isHandingOver)) {
      long offset = stream.sentOffset();
      Chunk chunk = stream.next(owner.windowBytes(), !owner.isAtMostOnce());
      if (chunk == null) {
        break;
      }
      send(owner, offset, chunk.payload(), chunk.isLast());
    }
    boolean isHeldHere = isHandingOver || owner.isHeldBack();
    if (stream.isEndDue() && stream.violation() == null && !isHeldHere) {
      stream.endSent();
      owner.halfClose(connection, stream.sentOffset());
      if (replies.stream().isEnded()) {
        // An owner that does not acknowledge has nothing left to say.
        owner.awaitAcknowledgement(nowNs);
      }
    } else if (!stream.isEmpty() && !isHeldHere) {
      if (owner.isWritable()) {
        owner.awaitAcknowledgement(nowNs);
      } else {
        owner.awaitWritable(connection);
      }
    }
    return awaitLeader(nowNs, owner, leaderWaitNs);
  }

  /**
   * Gives the owner this much time for the messages before the violation; called again with
   * progress.
   */
  void extendViolation(long nowNs, long lingerNs) {
    violationDeadlineNs = nowNs + lingerNs;
  }

  // --- outputs ---

  ClientStream stream() {
    return stream;
  }

  /** Until when the owner has time for the messages before the violation. */
  long violationDeadlineNs() {
    return violationDeadlineNs;
  }

  /** Whether bytes wait because the pool has no leader. */
  boolean isAwaitingLeader() {
    return isAwaitingLeader;
  }

  /** Until when bytes wait for a leader. */
  long leaderDeadlineNs() {
    return leaderDeadlineNs;
  }

  // --- transitions ---

  private static boolean canSend(Owner owner, boolean isHandingOver) {
    return owner.isWritable() && !owner.isHeldBack() && !isHandingOver;
  }

  private void send(Owner owner, long offset, ByteBuf owned, boolean isLast) {
    long limit = owner.isAcknowledging() ? replies.takeLimit() : ReplyDirection.NO_LIMIT;
    owner.data(connection, offset, owned, isLast, limit);
    if (owner.isAtMostOnce()) {
      stream.consumeAllSent();
    }
  }

  /** Updates {@link #isAwaitingLeader}; returns whether that is new. */
  private boolean awaitLeader(long nowNs, Owner owner, long leaderWaitNs) {
    boolean wasAwaiting = isAwaitingLeader;
    isAwaitingLeader = owner.isHeldBack() && (!stream.isEmpty() || stream.isEndDue());
    boolean isNew = isAwaitingLeader && !wasAwaiting;
    if (isNew) {
      leaderDeadlineNs = nowNs + leaderWaitNs;
    }
    return isNew;
  }
}
