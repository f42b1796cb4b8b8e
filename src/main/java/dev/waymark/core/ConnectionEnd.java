package dev.waymark.core;

import dev.waymark.core.CloseReason.Origin;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Whether a connection may end, and who ended it, why and when (rule 8). A state machine without
 * I/O, confined to its shard's thread.
 */
final class ConnectionEnd {
  private final ClientDirection client;
  private final ReplyDirection replies;
  private final @Nullable ConnectionAge age;
  private @Nullable Origin firstToEnd;
  private @Nullable CloseReason reason;
  private Origin origin = Origin.BRIDGE;
  private long unixMs;

  /**
   * @param age null: it may become as old as it likes
   */
  ConnectionEnd(ClientDirection client, ReplyDirection replies, @Nullable ConnectionAge age) {
    this.client = client;
    this.replies = replies;
    this.age = age;
  }

  // --- inputs ---

  /** One direction has ended. */
  void directionEnded(Origin by) {
    if (firstToEnd == null) {
      firstToEnd = by;
    }
  }

  /** The connection ends, once. */
  void ended(CloseReason why, Origin by, long atUnixMs) {
    Check.that(reason == null, "a connection ends once");
    reason = why;
    origin = by;
    unixMs = atUnixMs;
  }

  // --- outputs ---

  /** Both directions have ended, and all is consumed. */
  boolean isDone() {
    return replies.stream().isEnded() && client.stream().isEnded() && client.isConsumed();
  }

  /** The owner knows of the end, and the client's socket took every reply too. */
  boolean isDoneAndWritten() {
    return client.stream().isEndSent() && replies.stream().queuedBytes() == 0 && isDone();
  }

  /** All that could be read of the client is answered. */
  boolean isAnswered() {
    return client.stream().isEmpty()
        && !client.isAwaitingOwner()
        && replies.stream().queuedBytes() == 0;
  }

  /** It is past its age, and at a place where nothing is lost or past its grace too. */
  boolean isOldEnough(long nowNs, @Nullable Lane owner, long lastActivityNs) {
    if (age == null || !age.isDue(nowNs)) {
      return false;
    }
    boolean isEnough = age.isOver(nowNs) || isQuiet(owner, nowNs - lastActivityNs);
    if (!isEnough) {
      age.onNotQuiet(nowNs);
    }
    return isEnough;
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

  /**
   * No message is under way, none is being answered, every reply is written. One that has ended one
   * direction is about to end by itself.
   */
  private boolean isQuiet(@Nullable Lane owner, long silenceNs) {
    boolean isPlain = owner != null && owner.isNeverAcknowledging();
    boolean isBetweenReplies =
        isPlain
            ? silenceNs >= ConnectionAge.SILENCE_NS
            : replies.stream().takenSinceConsumed() == 0;
    return isBetweenReplies
        && client.isBetweenMessages()
        && client.isConsumed()
        && !client.stream().isEnded()
        && !replies.stream().isEnded()
        && !replies.stream().isHolding()
        && replies.stream().queuedBytes() == 0;
  }
}
