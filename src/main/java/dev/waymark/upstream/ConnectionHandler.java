package dev.waymark.upstream;

import dev.waymark.core.CloseReason;
import io.netty.buffer.ByteBuf;

/**
 * What an upstream does with one connection. Calls come one at a time, in order, under the lane's
 * lock: they must not block. What is sent during a call leaves in one batch at its end. An
 * exception from a call closes this connection with ABORT and nothing else.
 */
public interface ConnectionHandler {
  /** Makes the handler of a connection that was attached to this upstream. */
  @FunctionalInterface
  interface Factory {
    /** Called at Open; may send, or refuse with {@link Connection#close}. */
    ConnectionHandler open(Connection connection);
  }

  /**
   * Client bytes, in order, cut as {@link Delivery} says.
   *
   * @param data borrowed: valid during the call; keep a `retainedSlice()`, or a copy if it is kept
   *     long
   * @param endOffset the offset in the client's stream behind the last byte: what to pass as
   *     `consumed` when done with it
   */
  void onData(ByteBuf data, long endOffset);

  /** The client sent FIN; all its bytes came before. */
  void onHalfClose();

  /** Everything that waited for the bridge's grant has left, see {@link Connection#isWaiting}. */
  default void onWritable() {}

  /** The last call, once: whoever ended the attachment, for this reason. */
  default void onClose(CloseReason reason) {}
}
