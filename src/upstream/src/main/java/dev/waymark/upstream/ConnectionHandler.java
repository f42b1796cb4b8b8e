package dev.waymark.upstream;

import com.google.protobuf.ByteString;
import dev.waymark.protocol.CloseReason;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;

/**
 * What an upstream does with one connection. Calls come one at a time, in order, under the lane's
 * lock: they must not block. What is sent during a call leaves in one batch at its end. An
 * exception from a call closes this connection with ABORT and nothing else.
 *
 * <p>Implement this interface to get client bytes as a {@link ByteBuf}, or one of {@link OfBytes},
 * {@link OfByteBuffer} and {@link OfByteString} to keep Netty out of your code.
 */
public interface ConnectionHandler {
  /** Makes the handler of a connection that was attached to this upstream. */
  @FunctionalInterface
  interface Factory {
    /**
     * Called at Open; may send, or refuse with {@link UpstreamConnection#close}.
     *
     * @param connection for as long as it is attached here
     */
    ConnectionHandler open(UpstreamConnection connection);
  }

  /** Gets client bytes as arrays. Costs an array and a copy per call. */
  interface OfBytes extends ConnectionHandler {
    /**
     * Client bytes, in order, cut as {@link Delivery} says.
     *
     * @param data yours: keep or change it
     * @param endOffset as in {@link ConnectionHandler#onData(ByteBuf, long)}
     */
    void onData(byte[] data, long endOffset);

    @Override
    default void onData(ByteBuf data, long endOffset) {
      onData(Payloads.toBytes(data), endOffset);
    }
  }

  /** Gets client bytes as buffers of the JDK. Costs two small objects per call and no copy. */
  interface OfByteBuffer extends ConnectionHandler {
    /**
     * Client bytes, in order, cut as {@link Delivery} says.
     *
     * @param data read-only and valid during the call; copy what you keep
     * @param endOffset as in {@link ConnectionHandler#onData(ByteBuf, long)}
     */
    void onData(ByteBuffer data, long endOffset);

    @Override
    default void onData(ByteBuf data, long endOffset) {
      onData(Payloads.toByteBuffer(data), endOffset);
    }
  }

  /** Gets client bytes as protobuf's immutable strings. Costs an array and a copy per call. */
  interface OfByteString extends ConnectionHandler {
    /**
     * Client bytes, in order, cut as {@link Delivery} says.
     *
     * @param data yours: keep it as long as you like
     * @param endOffset as in {@link ConnectionHandler#onData(ByteBuf, long)}
     */
    void onData(ByteString data, long endOffset);

    @Override
    default void onData(ByteBuf data, long endOffset) {
      onData(Payloads.toByteString(data), endOffset);
    }
  }

  /**
   * Client bytes, in order, cut as {@link Delivery} says.
   *
   * @param data borrowed, valid during the call; keep a {@code retainedSlice()}, or a copy if you
   *     keep it long
   * @param endOffset the offset in the client's stream behind the last byte: what to pass as {@code
   *     consumedOffset} when done with it
   */
  void onData(ByteBuf data, long endOffset);

  /** The client sent FIN; all its bytes came before. */
  void onHalfClose();

  /** No reply waits any more, see {@link UpstreamConnection#isWaiting}. */
  default void onWritable() {}

  /**
   * The bridge wants to move the connection to another upstream: no bytes come any more, and no
   * half-close. Finish what was received and is not consumed within the bridge's {@code
   * release-timeout} (10 s by default); after that the bridge moves the connection by force.
   *
   * <p>The SDK hands over by itself, here or later, once everything that the handler got is
   * consumed and all replies have left. So do not consume what you still owe an answer. A handler
   * that keeps the start of a request, or works on one for long, may call {@link
   * UpstreamConnection#release()} at any time from now on: the next owner gets what was not
   * consumed again. In {@link Delivery#MESSAGES} the start of a message is not delivered and delays
   * nothing. Then comes {@link #onClose} with MOVED.
   */
  default void onRelease() {}

  /**
   * The last call, once: the attachment has ended, whoever ended it.
   *
   * @param reason three of them mean that the connection may live on elsewhere: MOVED (handed over,
   *     see {@link #onRelease}), FENCED (given to another owner by force) and UPSTREAM_LOST (the
   *     lane ended)
   */
  default void onClose(CloseReason reason) {}
}
