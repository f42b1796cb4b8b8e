package dev.waymark.sim.checkers;

import dev.waymark.protocol.ResumeState;
import org.jspecify.annotations.Nullable;

/**
 * Listener for the inputs and outputs of all shards of a run, and for what the {@link Ledger}
 * derives from them. Connections are identified by sequence, lanes, upstreams and shards by number.
 * Every method except {@link #onStepEnd} and {@link #onTurnEnd} is called before the event takes
 * effect.
 */
public interface Watcher {
  /** Returns the byte that belongs at this offset, in either direction of a connection. */
  static byte byteAt(long connection, long offset) {
    return (byte) (connection * 31 + offset * 7 + (offset >>> 8) * 13);
  }

  /** Returns the bytes that belong at this offset and after it. */
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

  /** The client broke the framing: its FIN is no longer passed on. */
  default void onClientViolation(long connection) {}

  default void onSocketWrite(long connection, byte[] bytes) {}

  default void onSocketTook(long connection, long bytes) {}

  default void onSocketFinish(long connection) {}

  /** The bridge closes or resets the socket. */
  default void onSocketEnded(long connection, boolean isReset) {}

  /** The socket is closed: the last event of a connection. */
  default void onSocketClosed(long connection) {}

  default void onReading(long connection, boolean isPaused) {}

  default void onAccepting(int shard, boolean isPaused) {}

  /** A shard opens a lane to an upstream. */
  default void onConnect(int lane, int shard, int upstream) {}

  /** A shard gets a snapshot: {@code isServing} is false for upstreams that it does not list. */
  default void onView(int shard, int upstream, boolean isServing) {}

  /** A shard gets a snapshot: {@code isDraining} is true for upstreams that it does not list. */
  default void onDrainView(int shard, int upstream, boolean isDraining) {}

  /** A shard gets new options for the clients that it will accept. */
  default void onReload(int shard, long idleTimeoutNs, Ages.Limit age) {}

  /** At the end of a step, at least one lane of the shard can get connections. */
  default void onServing(int shard) {}

  /** A turn of the shard has ended; {@code heldBytes} is the total of all shards. */
  default void onTurnEnd(int shard, long heldBytes) {}

  /** The bridge starts to drain, with this timeout. */
  default void onDrain(long timeoutNs) {}

  /** The poison of this client kills an upstream process. */
  default void onKill(long connection) {}

  /** Draining comes on this lane. */
  default void onDraining(int lane) {}

  /** The shard sends Open; {@code left} is the resume state, null in the first Open. */
  default void onOpen(
      int lane, long connection, int epoch, long limit, @Nullable ResumeState left) {}

  default void onData(
      int lane, long connection, int epoch, long offset, byte[] bytes, boolean isLast) {}

  default void onLimit(int lane, long connection, int epoch, long limit) {}

  default void onHalfClose(int lane, long connection, int epoch, long offset) {}

  default void onRelease(int lane, long connection, int epoch) {}

  default void onClose(int lane, long connection, int epoch, String reason) {}

  default void onSettings(int lane, int windowBytes) {}

  /** Settings that came on this lane say that connections are pinned to its upstream. */
  default void onPinned(int lane) {}

  /** The lane becomes at-most-once. */
  default void onAtMostOnce(int lane) {}

  default void onUpstreamFrame(int lane, UpstreamEvent frame) {}

  /** Any frame comes on this lane. */
  default void onHeard(int lane) {}

  /**
   * The bridge cancels the lane after a timeout.
   *
   * @param isSilence true if nothing came for too long, false if Settings did not come
   */
  default void onLaneTimedOut(int lane, boolean isSilence) {}

  default void onLaneEnd(int lane) {}

  /** A push comes on this lane; {@code epoch} is -1 if it may be written in any. */
  default void onPush(int lane, long id, long connection, int bytes, long epoch) {}

  default void onPushResult(int lane, long id, String outcome) {}

  /** The shard writes a push to the client's socket. */
  default void onPushWritten(long connection, long id, int bytes) {}

  /** A complete commit of the owner takes effect. */
  default void onCommit(Commit commit) {}

  /** The connection loses its owner, or ends. */
  default void onLeft(long connection, Leaving how) {}

  /** A step has ended: all shards have ended their turns. */
  default void onStepEnd(long heldBytes) {}

  /** Time has passed; a standstill of the bridge counts as one tick. */
  default void onTime(long nowNs) {}

  /** How a connection leaves its owner. */
  enum Leaving {
    /** The lane broke. */
    LOST,
    REFUSED,
    FENCED,
    RELEASED,
    /** The connection ends. */
    ENDED
  }

  /**
   * The frames of one commit, combined.
   *
   * @param consumed -1 if absent
   * @param context null if absent
   * @param isEnd whether it ends the stream of replies
   * @param isReplyEnd whether it ends one reply
   */
  record Commit(
      long connection,
      long bytes,
      long consumed,
      byte @Nullable [] context,
      boolean isEnd,
      boolean isReplyEnd) {}

  /**
   * A frame from an upstream.
   *
   * @param consumed -1 if absent
   * @param context null if absent
   * @param close the wire code, or 0 if absent
   * @param isReleased whether it carries Released
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
