package dev.waymark.upstream;

import dev.waymark.protocol.CloseReason;
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
    /** Called at Open; may send, or refuse with {@link UpstreamConnection#close}. */
    ConnectionHandler open(UpstreamConnection connection);
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

  /** Everything that waited for the bridge's grant has left, see {@link UpstreamConnection#isWaiting}. */
  default void onWritable() {}

  /**
   * The bridge wants to move the connection to another upstream: no bytes come any more, and no
   * half-close. What was received and is not consumed is the handler's to finish, as long as the
   * bridge's `release-timeout` (10 s by default) allows; then the bridge moves the connection by
   * force.
   *
   * <p>The kit hands over by itself, here or later, when everything that the handler got is
   * consumed and all replies have left; so what is owed an answer must not be consumed before it. A
   * handler that keeps the start of a request, or works on one for long, may call {@link
   * UpstreamConnection#release()} at any time from now on: what it has not consumed goes to the next owner
   * again. In {@link Delivery#MESSAGES} the start of a message is not delivered and holds nothing
   * up. Then comes {@link #onClose} with MOVED.
   */
  default void onRelease() {}

  /**
   * The last call, once: whoever ended the attachment, for this reason. Three of them mean that the
   * connection may live on elsewhere: MOVED (handed over, see {@link #onRelease}), FENCED (another
   * owner was given it by force) and UPSTREAM_LOST (the lane ended).
   */
  default void onClose(CloseReason reason) {}
}
