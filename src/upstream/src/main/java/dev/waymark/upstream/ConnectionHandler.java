package dev.waymark.upstream;

import com.google.protobuf.ByteString;
import dev.waymark.protocol.CloseReason;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;

/**
 * Handles one connection. Called by one thread at a time, in order, under the lane's lock:
 * implementations must not block. Everything sent during a call leaves in one batch when it
 * returns. An exception from a call closes this connection with ABORT and affects nothing else.
 *
 * <p>Implement this interface to get client bytes as a {@link ByteBuf}, or one of {@link OfBytes},
 * {@link OfByteBuffer} and {@link OfByteString} to keep Netty out of your code.
 */
public interface ConnectionHandler {
  /** Creates the handler of a connection that is attached to this upstream. */
  @FunctionalInterface
  interface Factory {
    /**
     * Called when the connection is attached. May send, or refuse with {@link
     * UpstreamConnection#close}.
     *
     * @param connection the connection, usable while it is attached here
     */
    ConnectionHandler open(UpstreamConnection connection);
  }

  /** Receives client bytes as arrays. Costs an array and a copy per call. */
  interface OfBytes extends ConnectionHandler {
    /**
     * Called with client bytes, in order, cut as {@link Delivery} says.
     *
     * @param data yours to keep or modify
     * @param endOffset as in {@link ConnectionHandler#onData(ByteBuf, long)}
     */
    void onData(byte[] data, long endOffset);

    @Override
    default void onData(ByteBuf data, long endOffset) {
      onData(Payloads.toBytes(data), endOffset);
    }
  }

  /** Receives client bytes as JDK buffers. Costs two small objects per call and no copy. */
  interface OfByteBuffer extends ConnectionHandler {
    /**
     * Called with client bytes, in order, cut as {@link Delivery} says.
     *
     * @param data read-only and valid during the call; copy what you want to keep
     * @param endOffset as in {@link ConnectionHandler#onData(ByteBuf, long)}
     */
    void onData(ByteBuffer data, long endOffset);

    @Override
    default void onData(ByteBuf data, long endOffset) {
      onData(Payloads.toByteBuffer(data), endOffset);
    }
  }

  /**
   * Receives client bytes as protobuf's immutable byte strings. Costs an array and a copy per call.
   */
  interface OfByteString extends ConnectionHandler {
    /**
     * Called with client bytes, in order, cut as {@link Delivery} says.
     *
     * @param data immutable, yours to keep
     * @param endOffset as in {@link ConnectionHandler#onData(ByteBuf, long)}
     */
    void onData(ByteString data, long endOffset);

    @Override
    default void onData(ByteBuf data, long endOffset) {
      onData(Payloads.toByteString(data), endOffset);
    }
  }

  /**
   * Called with client bytes, in order, cut as {@link Delivery} says.
   *
   * @param data borrowed, valid during the call; keep a {@code retainedSlice()}, or a copy if you
   *     keep it for long
   * @param endOffset the offset in the client's stream after the last byte: what to pass as {@code
   *     consumedOffset} when done with the data
   */
  void onData(ByteBuf data, long endOffset);

  /** Called when the client has sent FIN, after all its bytes. */
  void onHalfClose();

  /**
   * Called when replies were waiting and none is any more; see {@link
   * UpstreamConnection#isWaiting}.
   */
  default void onWritable() {}

  /**
   * Called when the bridge wants to move the connection to another upstream. No more bytes and no
   * half-close will follow. Finish what was received and is not consumed yet within the bridge's
   * {@code release-timeout} (10 s by default); after that the bridge moves the connection by force.
   *
   * <p>The SDK hands the connection over itself, now or later, once everything delivered to the
   * handler is consumed and all replies have left. So do not consume a request before you have
   * answered it. A handler that holds the start of a request, or works on one for long, may call
   * {@link UpstreamConnection#release()} at any time from now on: the next owner gets everything
   * again that was not consumed. With {@link Delivery#MESSAGES} the start of an incomplete message
   * was never delivered and delays nothing. After the hand-over {@link #onClose} is called with
   * MOVED.
   */
  default void onRelease() {}

  /**
   * Called once, as the last call, when the attachment has ended, whichever side ended it.
   *
   * @param reason why it ended. With three reasons the connection may live on elsewhere: MOVED
   *     (handed over, see {@link #onRelease}), FENCED (given to another owner by force) and
   *     UPSTREAM_LOST (the lane ended)
   */
  default void onClose(CloseReason reason) {}
}
