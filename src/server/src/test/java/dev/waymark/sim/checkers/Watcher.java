package dev.waymark.sim.checkers;

import dev.waymark.protocol.ResumeState;
import org.jspecify.annotations.Nullable;

/**
 * What can be seen at the edges of a shard, and what the {@link Ledger} concludes from it. A lane
 * is its number, a connection its sequence. Every method is called before its effect, but for
 * {@link #onStepEnd}.
 */
public interface Watcher {
  /** The byte at this place of either direction of a connection. */
  static byte byteAt(long connection, long offset) {
    return (byte) (connection * 31 + offset * 7 + (offset >>> 8) * 13);
  }

  /** So many bytes from this place on. */
  static byte[] bytesAt(long connection, long offset, int count) {
    byte[] bytes = new byte[count];
    for (int i = 0; i < count; i++) {
      bytes[i] = byteAt(connection, offset + i);
    }
    return bytes;
  }

  default void onAccepted(long connection) {}

  default void onClientBytes(long connection, int bytes, boolean isLast) {}

  default void onClientEnd(long connection) {}

  /** What follows from the client cannot be cut into messages; its FIN counts no more. */
  default void onClientViolation(long connection) {}

  default void onSocketWrite(long connection, byte[] bytes) {}

  default void onSocketTook(long connection, long bytes) {}

  default void onSocketFinish(long connection) {}

  /** Closed or reset by the bridge. */
  default void onSocketEnded(long connection, boolean isReset) {}

  /** The last input of a connection. */
  default void onSocketClosed(long connection) {}

  default void onReading(long connection, boolean isPaused) {}

  default void onAccepting(int shard, boolean isPaused) {}

  /** A shard opens a lane to an upstream. */
  default void onConnect(int lane, int shard, int upstream) {}

  /** What a shard is about to be told of the health of an upstream; false: not to be found. */
  default void onView(int shard, int upstream, boolean isServing) {}

  /** What the shard is about to be told: connections are to leave this upstream, or not. */
  default void onLeaving(int shard, int upstream, boolean isLeft) {}

  /** The shard is about to have other options for the clients to come. */
  default void onReload(int shard, long idleTimeoutNs, Ages.Limit age) {}

  /** Some lane of the shard takes connections for certain, at the end of a step. */
  default void onServing(int shard) {}

  /** The shard has done all that it had to do at once, while the bridge held so many bytes. */
  default void onTurnEnd(int shard, long heldBytes) {}

  /** The bridge will stop in so long. */
  default void onDrain(long timeoutNs) {}

  /** What this client sent ends an upstream's process. */
  default void onKill(long connection) {}

  /** The upstream says Draining on this lane. */
  default void onDraining(int lane) {}

  /** {@code left} is null at the first Open. */
  default void onOpen(
      int lane, long connection, int epoch, long limit, @Nullable ResumeState left) {}

  default void onData(
      int lane, long connection, int epoch, long offset, byte[] bytes, boolean isLast) {}

  default void onLimit(int lane, long connection, int epoch, long limit) {}

  default void onHalfClose(int lane, long connection, int epoch, long offset) {}

  default void onRelease(int lane, long connection, int epoch) {}

  default void onClose(int lane, long connection, int epoch, String reason) {}

  default void onSettings(int lane, int windowBytes) {}

  /** From now on the lane is one without Settings. */
  default void onAtMostOnce(int lane) {}

  default void onUpstreamFrame(int lane, UpstreamEvent frame) {}

  /** Anything comes on this lane. */
  default void onHeard(int lane) {}

  /**
   * The bridge gives it up because something did not come.
   *
   * @param isSilence nothing did
   */
  default void onLaneTimedOut(int lane, boolean isSilence) {}

  default void onLaneEnd(int lane) {}

  /** The upstream pushes; {@code epoch} -1: any. */
  default void onPush(int lane, long id, long connection, int bytes, long epoch) {}

  default void onPushResult(int lane, long id, String outcome) {}

  /** Pushed bytes go to the client's socket. */
  default void onPushWritten(long connection, long id, int bytes) {}

  /** The owner's whole commit takes effect. */
  default void onCommit(Commit commit) {}

  /** The owner is the owner no more. */
  default void onLeft(long connection, Leaving how) {}

  /** All that the bridge had to do at once has been done. */
  default void onStepEnd(long heldBytes) {}

  /** How long the bridge has been running: standstills of its own count as one tick. */
  default void onTime(long nowNs) {}

  /** How a connection leaves its owner. */
  enum Leaving {
    /** The lane broke. */
    LOST,
    REFUSED,
    FENCED,
    RELEASED,
    /** There is to be no owner any more. */
    ENDED
  }

  /**
   * Frames of one commit; {@code consumed} -1: absent; {@code context} null: absent; {@code isEnd}:
   * of the replies; {@code isReplyEnd}: of one reply.
   */
  record Commit(
      long connection,
      long bytes,
      long consumed,
      byte @Nullable [] context,
      boolean isEnd,
      boolean isReplyEnd) {}

  /**
   * A frame from an upstream; {@code consumed} -1: absent; {@code context} null: absent; {@code
   * close} 0: none; {@code isReleased}: Released.
   */
  record UpstreamEvent(
      long connection,
      int epoch,
      int bytes,
      long consumed,
      byte @Nullable [] context,
      boolean more,
      boolean halfClose,
      int close,
      boolean isReleased) {}
}
