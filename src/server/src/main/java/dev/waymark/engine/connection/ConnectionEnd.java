package dev.waymark.engine.connection;

import dev.waymark.engine.stream.ClientStream;
import dev.waymark.engine.stream.ReplyStream;
import dev.waymark.protocol.Check;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.CloseReason.Origin;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * When one connection may end, whether it has, why, and who caused it (rule 8). The first reason
 * wins: later ones are its consequences. A state machine without I/O, confined to its shard's
 * thread.
 *
 * <p>A connection is live until it has a reason, closing while its socket takes the last bytes, and
 * closed when the socket is gone.
 */
final class ConnectionEnd {
  private final ClientStream client;
  private final ReplyStream replies;

  /** Null: the connection may become as old as it likes. */
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
   * The bridge stops in this time: a connection with an age limit ends at an instant of its own
   * within it.
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

  /** The socket is about to go, and with it what is held for it. */
  void onDropped() {
    isDropped = true;
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

  /**
   * Something was sent, consumed or written: says whether nothing is left to do.
   *
   * @param hasOwner the connection is attached
   * @param isBetweenReplies as far as is known, no reply is under way
   * @return why the connection is to end now; null: it goes on
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
   * The connection is past its age: at a place where nothing is lost, or when the grace is over.
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

  /** Who causes an end for this reason. */
  Origin originOf(CloseReason why) {
    return why == CloseReason.DONE ? firstToEnd() : why.origin();
  }

  /** Both directions have ended, and all is consumed. */
  boolean isDone() {
    return replies.isEnded() && client.isEnded() && client.isConsumed();
  }

  boolean isAgeLimited() {
    return age != null;
  }

  /** When to look whether it is old enough; only where that is limited. */
  long ageDeadlineNs() {
    return Objects.requireNonNull(age).deadlineNs();
  }

  /** Who ended a direction first, and so caused the end. */
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
    return client.isEndSent() && replies.queuedBytes() == 0 && isDone();
  }

  /** All that could be read of the client is answered. */
  private boolean isAnswered() {
    return client.isEmpty() && !client.isAwaitingOwner() && replies.queuedBytes() == 0;
  }

  /**
   * No message is under way, every reply is written. A connection that has ended one direction is
   * about to end anyway.
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
