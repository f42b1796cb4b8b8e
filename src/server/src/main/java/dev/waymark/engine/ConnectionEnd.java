package dev.waymark.engine;

import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.CloseReason.Origin;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The end of one connection: when it may come, who brought it, why and when, and how the socket
 * takes its last bytes (rule 8). Confined to its shard's thread.
 */
final class ConnectionEnd {
  private final Connection connection;
  private final ClientDirection client;
  private final ReplyDirection replies;
  private final @Nullable ConnectionAge age;
  private @Nullable Origin firstToEnd;
  private @Nullable CloseReason reason;
  private Origin origin = Origin.BRIDGE;
  private long unixMs;
  private boolean isDropped;
  private boolean isClosed;

  /**
   * @param age null: it may become as old as it likes
   */
  ConnectionEnd(
      Connection connection,
      ClientDirection client,
      ReplyDirection replies,
      @Nullable ConnectionAge age) {
    this.connection = connection;
    this.client = client;
    this.replies = replies;
    this.age = age;
  }

  // --- inputs ---

  /** One direction has ended. */
  void onDirectionEnded(Origin by) {
    if (firstToEnd == null) {
      firstToEnd = by;
    }
  }

  /** The bridge ends in so long: one that has an age ends at its own place within that time. */
  void onDrain(long nowNs, long timeoutNs) {
    if (age != null) {
      age.onDrain(nowNs, timeoutNs);
      connection.armDeadline(nowNs);
    }
  }

  /** Something was sent, consumed or written: ends the connection if nothing is left to do. */
  void endIfDone(long nowNs) {
    CloseReason breach = client.breach();
    if (breach != null) {
      if (isLive() && isAnswered()) {
        endByBridge(nowNs, breach, breach.origin());
      }
      return;
    }
    endIfOld(nowNs);
    if (connection.lane() != null && isDoneAndWritten()) {
      endByBridge(nowNs, CloseReason.DONE, firstToEnd());
    }
  }

  /** Past its age: at a place where nothing is lost, or when the grace is over. */
  void endIfOld(long nowNs) {
    if (isLive() && isOldEnough(nowNs)) {
      endByBridge(nowNs, CloseReason.CONNECTION_AGE, Origin.BRIDGE);
    }
  }

  /** The bridge ends the connection: an upstream is told if there is one. */
  void endByBridge(long nowNs, CloseReason why, Origin by) {
    Lane owner = connection.lane();
    if (owner != null) {
      owner.close(connection, why);
    }
    endWithoutTelling(nowNs, why, by);
  }

  /** The connection ends, unless it has; an upstream knows, or there is none. */
  void endWithoutTelling(long nowNs, CloseReason why, Origin by) {
    if (!isLive()) {
      return;
    }
    reason = why;
    origin = by;
    unixMs = connection.arrival().unixMs(connection.shard().elapsedNs(nowNs));
    replies.endPushes(why, unixMs);
    connection.change().end();
    client.stream().release();
    replies.stream().dropHeld();
    connection.settleHeld();
    connection.deadlines().linger(nowNs);
    if (why.isAbortive()) {
      reset();
      return;
    }
    connection.armDeadline(nowNs);
    connection.socket().finish();
    client.updateReading();
    closeWhenDrained();
  }

  /**
   * All bytes written and the client's FIN seen, or it is known to be gone: closing earlier would
   * make the kernel send RST for client bytes not read, and RST may overtake replies (RFC 1122,
   * 4.2.2.13).
   */
  void closeWhenDrained() {
    if (isClosing() && replies.delivery().queuedBytes() == 0 && client.stream().isEnded()) {
      close();
    }
  }

  /** Nothing is waited for any more: drops the socket, with a reset if replies are lost by it. */
  void abandon() {
    if (replies.delivery().queuedBytes() > 0) {
      reset();
    } else {
      close();
    }
  }

  /** Drops the socket with a reset, and what it has not taken. */
  void reset() {
    onDropped();
    connection.socket().reset();
  }

  private void close() {
    onDropped();
    connection.socket().close();
  }

  /** What the connection holds goes with its socket, soon: it counts no more. */
  private void onDropped() {
    isDropped = true;
    connection.settleHeld();
  }

  /** The socket is gone. */
  void onSocketClosed() {
    isDropped = true;
    isClosed = true;
  }

  // --- outputs ---

  /** Neither ended nor about to. */
  boolean isLive() {
    return reason == null;
  }

  /** The reason is known, the attachment over; the socket takes the last bytes. */
  boolean isClosing() {
    return reason != null && !isClosed;
  }

  /** The socket is gone, or is about to be: nothing is held for it. */
  boolean isDropped() {
    return isDropped;
  }

  /** The socket is gone. */
  boolean isClosed() {
    return isClosed;
  }

  /** Both directions have ended, and all is consumed. */
  boolean isDone() {
    return replies.stream().isEnded() && client.stream().isEnded() && client.isConsumed();
  }

  boolean isAgeLimited() {
    return age != null;
  }

  /** When to look whether it is old enough; only where that is limited. */
  long ageDeadlineNs() {
    return Objects.requireNonNull(age).deadlineNs();
  }

  /** Who has ended a direction first: whoever it is, the end is theirs. */
  Origin firstToEnd() {
    return Objects.requireNonNullElse(firstToEnd, Origin.UPSTREAM);
  }

  /** Null while the connection lives. */
  @Nullable CloseReason reason() {
    return reason;
  }

  Origin origin() {
    return origin;
  }

  /** By the wall clock; 0 while the connection lives. */
  long unixMs() {
    return unixMs;
  }

  // --- transitions ---

  /** The owner knows of the end, and the client's socket took every reply too. */
  private boolean isDoneAndWritten() {
    return client.stream().isEndSent() && replies.stream().queuedBytes() == 0 && isDone();
  }

  /** All that could be read of the client is answered. */
  private boolean isAnswered() {
    return client.stream().isEmpty()
        && !client.isAwaitingOwner()
        && replies.stream().queuedBytes() == 0;
  }

  /** It is past its age, and at a place where nothing is lost or past its grace too. */
  private boolean isOldEnough(long nowNs) {
    if (age == null || !age.isDue(nowNs)) {
      return false;
    }
    boolean isEnough = age.isOver(nowNs) || isQuiet(nowNs - connection.lastActivityNs());
    if (!isEnough) {
      age.onNotQuiet(nowNs);
    }
    return isEnough;
  }

  /**
   * No message is under way, none is being answered, every reply is written. One that has ended one
   * direction is about to end by itself.
   */
  private boolean isQuiet(long silenceNs) {
    ReplyStream stream = replies.stream();
    Lane owner = connection.lane();
    boolean isPlain = owner != null && owner.isNeverAcknowledging();
    boolean isBetweenReplies =
        isPlain ? silenceNs >= ConnectionAge.SILENCE_NS : stream.isBetweenReplies();
    return isBetweenReplies
        && client.isBetweenMessages()
        && client.isConsumed()
        && !client.stream().isEnded()
        && !stream.isEnded()
        && !stream.isHolding()
        && stream.queuedBytes() == 0;
  }
}
