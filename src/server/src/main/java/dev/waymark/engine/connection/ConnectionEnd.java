package dev.waymark.engine.connection;

import dev.waymark.engine.stream.ClientStream;
import dev.waymark.engine.stream.ReplyStream;
import dev.waymark.protocol.Check;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.CloseReason.Origin;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Decides when one connection may end, and records whether, why and by whom it has (rule 8). The
 * first reason wins: later ones are its consequences. A state machine without I/O, confined to its
 * shard's thread.
 *
 * <p>A connection is live until it has a reason, closing while its socket takes the last bytes, and
 * closed when the socket is gone.
 */
final class ConnectionEnd {
  private final ClientStream client;
  private final ReplyStream replies;

  /** Null if the age is not limited. */
  private final @Nullable ConnectionAge age;

  private @Nullable Origin firstToEnd;
  private @Nullable CloseReason reason;
  private Origin origin = Origin.BRIDGE;
  private long unixMs;
  private boolean isDropped;
  private boolean isClosed;

  ConnectionEnd(ClientStream client, ReplyStream replies, @Nullable ConnectionAge age) {
    this.client = client;
    this.replies = replies;
    this.age = age;
  }

  // --- inputs ---

  /**
   * The bridge drains: a connection with an age limit ends within this time, at an instant of its
   * own.
   *
   * @return whether that changed anything
   */
  boolean onDrain(long nowNs, long timeoutNs) {
    if (age != null) {
      age.onDrain(nowNs, timeoutNs);
    }
    return age != null;
  }

  /** One direction has ended. */
  void onDirectionEnded(Origin by) {
    if (firstToEnd == null) {
      firstToEnd = by;
    }
  }

  /** The connection ends; only once. */
  void end(CloseReason why, Origin by, long endedUnixMs) {
    Check.that(isLive(), "a connection ends once");
    reason = why;
    origin = by;
    unixMs = endedUnixMs;
  }

  /** The socket is about to be closed, and what is held for it is dropped. */
  void onDropped() {
    isDropped = true;
  }

  /** The socket is closed. */
  void onSocketClosed() {
    isDropped = true;
    isClosed = true;
  }

  // --- outputs ---

  /** Whether it has not ended. */
  boolean isLive() {
    return reason == null;
  }

  /** Whether it has ended and the socket still takes the last bytes. */
  boolean isClosing() {
    return reason != null && !isClosed;
  }

  /** Whether the socket is closed or about to be: nothing is held for it. */
  boolean isDropped() {
    return isDropped;
  }

  /** Whether the socket is closed. */
  boolean isClosed() {
    return isClosed;
  }

  /**
   * Something was sent, consumed or written: returns whether the connection has to end now.
   *
   * @param hasOwner whether the connection is attached
   * @param isBetweenReplies whether, as far as is known, no reply is under way
   * @return the reason for the end, or null if the connection continues
   */
  @Nullable CloseReason due(long nowNs, boolean hasOwner, boolean isBetweenReplies) {
    if (!isLive()) {
      return null;
    }
    CloseReason violation = client.violation();
    if (violation != null) {
      return isAnswered() ? violation : null;
    }
    if (isOld(nowNs, isBetweenReplies)) {
      return CloseReason.CONNECTION_AGE;
    }
    return hasOwner && isDoneAndWritten() ? CloseReason.DONE : null;
  }

  /**
   * Whether the connection has to end because of its age: it is at a quiet point, or its grace time
   * is over.
   */
  boolean isOld(long nowNs, boolean isBetweenReplies) {
    if (age == null || !isLive() || !age.isDue(nowNs)) {
      return false;
    }
    boolean isOldEnough = age.isOver(nowNs) || (isBetweenReplies && isQuiet());
    if (!isOldEnough) {
      age.onNotQuiet(nowNs);
    }
    return isOldEnough;
  }

  /** Returns who causes an end for this reason. */
  Origin originOf(CloseReason why) {
    return why == CloseReason.DONE ? firstToEnd() : why.origin();
  }

  /** Whether both directions have ended and all client bytes are consumed. */
  boolean isDone() {
    return replies.isEnded() && client.isEnded() && client.isConsumed();
  }

  boolean isAgeLimited() {
    return age != null;
  }

  /** When to check the age again; only if it is limited. */
  long ageDeadlineNs() {
    return Objects.requireNonNull(age).deadlineNs();
  }

  /** Returns who ended a direction first, and so caused the end. */
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

  /** Whether the owner was told of the client's end, and the socket took every reply. */
  private boolean isDoneAndWritten() {
    return client.isEndSent() && replies.queuedBytes() == 0 && isDone();
  }

  /** Whether every whole message of the client is answered and the replies are written. */
  private boolean isAnswered() {
    return client.isEmpty() && !client.isAwaitingOwner() && replies.queuedBytes() == 0;
  }

  /**
   * Whether no message is under way and every reply is written. A connection with one direction
   * ended is about to end anyway.
   */
  private boolean isQuiet() {
    return client.isBetweenMessages()
        && client.isConsumed()
        && !client.isEnded()
        && !replies.isEnded()
        && !replies.isHolding()
        && replies.queuedBytes() == 0;
  }
}
