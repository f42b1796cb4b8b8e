package dev.waymark.sim.checkers;

import dev.waymark.core.Reopen;
import org.jspecify.annotations.Nullable;

/**
 * What can be seen at the edges of a shard. A lane is its number, a connection its sequence. Every
 * method is called before its effect, but for {@link #onStepEnd}.
 */
public interface Watcher {
  /** The byte at this place of either direction of a connection. */
  static byte byteAt(long connection, long offset) {
    return (byte) (connection * 31 + offset * 7 + (offset >>> 8) * 13);
  }

  default void onAccepted(long connection) {}

  default void onClientBytes(long connection, int bytes, boolean isLast) {}

  default void onClientEnd(long connection) {}

  default void onSocketWrite(long connection, byte[] bytes) {}

  default void onSocketTook(long connection, long bytes) {}

  default void onSocketFinish(long connection) {}

  /** Closed or reset by the bridge. */
  default void onSocketEnded(long connection, boolean isReset) {}

  /** The last input of a connection. */
  default void onSocketClosed(long connection) {}

  default void onReading(long connection, boolean isPaused) {}

  default void onAccepting(boolean isPaused) {}

  /** `left` is null at the first Open. */
  default void onOpen(int lane, long connection, int epoch, long limit, @Nullable Reopen left) {}

  default void onData(
      int lane, long connection, int epoch, long offset, byte[] bytes, boolean isLast) {}

  default void onLimit(int lane, long connection, int epoch, long limit) {}

  default void onHalfClose(int lane, long connection, int epoch, long offset) {}

  default void onRelease(int lane, long connection, int epoch) {}

  default void onClose(int lane, long connection, int epoch, String reason) {}

  default void onSettings(int lane, int windowBytes) {}

  /** From now on the lane is one without Settings. */
  default void onPlain(int lane) {}

  default void onUpstreamFrame(int lane, UpstreamEvent frame) {}

  default void onLaneEnd(int lane) {}

  /** All that the bridge had to do at once has been done. */
  default void onStepEnd(long heldBytes) {}

  default void onTime(long nowNs) {}

  /** A frame from an upstream; `consumed` -1: absent; `close` 0: none; `isReleased`: Released. */
  record UpstreamEvent(
      long connection,
      int epoch,
      int bytes,
      long consumed,
      boolean more,
      boolean halfClose,
      int close,
      boolean isReleased) {}
}
