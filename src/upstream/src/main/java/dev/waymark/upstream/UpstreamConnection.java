package dev.waymark.upstream;

import com.google.protobuf.ByteString;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Hello;
import dev.waymark.protocol.Open;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;

/**
 * A client's connection while it is attached to this upstream. Thread-safe: every method may be
 * called from any thread, and none blocks. Calls from one thread take effect in order.
 *
 * <p>Replies that exceed the bridge's reply window are queued in order, up to a limit. Once the
 * attachment has ended, everything is silently dropped: {@link ConnectionHandler#onClose} has been
 * called or is about to be.
 *
 * <p><b>Payloads.</b> Every method that takes a reply has overloads for four types. None of them
 * modifies its argument.
 *
 * <table>
 *   <caption>Ownership and cost</caption>
 *   <tr><th>type</th><th>ownership</th><th>extra cost</th></tr>
 *   <tr><td>{@link ByteBuf}</td><td>one reference passes to the SDK, which releases it on every
 *     path, even if the method throws</td><td>none</td></tr>
 *   <tr><td>{@link ByteString}</td><td>immutable, remains yours</td><td>none</td></tr>
 *   <tr><td>{@code byte[]}</td><td>yours again when the call returns: modify or reuse
 *     it</td><td>one copy</td></tr>
 *   <tr><td>{@link ByteBuffer}</td><td>yours again when the call returns; the bytes between
 *     position and limit are sent, and both stay where they are</td><td>one copy</td></tr>
 * </table>
 */
public interface UpstreamConnection {
  /** The connection's mark in text form. */
  String mark();

  /**
   * The number of the attachment, an unsigned counter per connection: use it as the fencing token
   * for external effects.
   */
  int epoch();

  /** What the bridge said about the connection. */
  Open open();

  /** How the bridge introduced itself. */
  Hello hello();

  /** False once the attachment has ended. */
  boolean isOpen();

  /**
   * The offset after the last client byte delivered to the handler. With {@link Delivery#MESSAGES}
   * the start of an incomplete message does not count, since it must not be consumed yet.
   */
  long receivedOffset();

  /**
   * Whether replies are waiting for room in the reply window or in the transport. {@link
   * ConnectionHandler#onWritable} is called once none is.
   */
  boolean isWaiting();

  /**
   * The largest reply that {@link #commit(ByteBuf, long)} accepts, in bytes: the reply window, or
   * the limit on waiting replies if that is smaller.
   */
  int commitBytesMax();

  // --- replies ---

  /**
   * Sends reply bytes that acknowledge nothing: part of a longer reply. The SDK may split them
   * anywhere.
   *
   * @param owned this method takes over one reference and releases it, whatever happens
   * @throws IllegalStateException after {@link #halfClose}, or if more bytes would wait than the
   *     upstream allows
   */
  void send(ByteBuf owned);

  /** As {@link #send(ByteBuf)}, but copies the bytes. */
  default void send(byte[] bytes) {
    send(Payloads.copyOf(bytes));
  }

  /** As {@link #send(ByteBuf)}, but copies the remaining bytes. */
  default void send(ByteBuffer bytes) {
    send(Payloads.copyOf(bytes));
  }

  /** As {@link #send(ByteBuf)}, but takes an immutable payload without a copy. */
  default void send(ByteString bytes) {
    send(Payloads.wrap(bytes));
  }

  /**
   * Sends a reply and acknowledges the bytes that it answers, atomically: the bridge takes both or
   * neither, so the reply reaches the client exactly once.
   *
   * @param owned this method takes over one reference and releases it, whatever happens
   * @param consumedOffset the offset before which this upstream is done with every client byte;
   *     cumulative, so one lower than before is ignored
   * @throws IllegalArgumentException if the reply is larger than {@link #commitBytesMax}, or the
   *     offset is beyond what was received
   * @throws IllegalStateException as in {@link #send(ByteBuf)}
   */
  void commit(ByteBuf owned, long consumedOffset);

  /** As {@link #commit(ByteBuf, long)}, but copies the bytes. */
  default void commit(byte[] bytes, long consumedOffset) {
    commit(Payloads.copyOf(bytes), consumedOffset);
  }

  /** As {@link #commit(ByteBuf, long)}, but copies the remaining bytes. */
  default void commit(ByteBuffer bytes, long consumedOffset) {
    commit(Payloads.copyOf(bytes), consumedOffset);
  }

  /** As {@link #commit(ByteBuf, long)}, but takes an immutable payload without a copy. */
  default void commit(ByteString bytes, long consumedOffset) {
    commit(Payloads.wrap(bytes), consumedOffset);
  }

  /**
   * As {@link #commit(ByteBuf, long)}, and stores a context for the connection's next owner.
   *
   * @param context at most 4 KiB, not to be modified afterwards; empty clears the context
   */
  void commit(ByteBuf owned, long consumedOffset, byte[] context);

  /** As {@link #commit(ByteBuf, long, byte[])}, but copies the bytes. */
  default void commit(byte[] bytes, long consumedOffset, byte[] context) {
    commit(Payloads.copyOf(bytes), consumedOffset, context);
  }

  /** As {@link #commit(ByteBuf, long, byte[])}, but copies the remaining bytes. */
  default void commit(ByteBuffer bytes, long consumedOffset, byte[] context) {
    commit(Payloads.copyOf(bytes), consumedOffset, context);
  }

  /** As {@link #commit(ByteBuf, long, byte[])}, but takes an immutable payload without a copy. */
  default void commit(ByteString bytes, long consumedOffset, byte[] context) {
    commit(Payloads.wrap(bytes), consumedOffset, context);
  }

  /**
   * Acknowledges without a reply, after everything sent before. Also allowed after {@link
   * #halfClose}.
   *
   * @throws IllegalArgumentException if the offset is beyond what was received
   */
  void consume(long consumedOffset);

  /** Stores a context and nothing else. At most 4 KiB; empty clears the context. */
  void context(byte[] context);

  /**
   * Tells the bridge that a long request is still being worked on, which restarts the bridge's
   * clocks (protocol.md, rule 7). While nothing is consumed, call it more often than once per
   * {@code progress-timeout} of the bridge (30 s by default). It costs one empty frame, or nothing
   * while the transport is full.
   */
  void working();

  // --- the end ---

  /**
   * Hands the connection over now: the next owner gets everything again that has not been
   * acknowledged. Takes effect after everything sent before, and where a reply ends: after a {@link
   * #send(ByteBuf)} that is with the next commit or {@link #consume}. Anything sent after that is
   * dropped. No effect before {@link ConnectionHandler#onRelease}.
   */
  void release();

  /**
   * Ends the reply direction: the client gets a FIN after the last byte, including bytes that are
   * still waiting.
   */
  void halfClose();

  /**
   * Ends the connection. DONE ends it cleanly after all bytes sent. Every other reason discards
   * waiting bytes and takes effect at once: ABORT resets the client; BUSY, NOT_HERE and
   * SHUTTING_DOWN ask the bridge to try another upstream.
   *
   * @throws IllegalArgumentException for FENCED, MOVED and UNKNOWN_CONNECTION, which only bridges
   *     may send
   */
  void close(CloseReason reason);

  // --- framing ---

  /**
   * Returns the payload of a message, without the length or delimiter of the listener's framing.
   *
   * @param message a whole message, as in {@link Delivery#MESSAGES}; its indices do not change
   * @return a slice borrowed from {@code message}, or a heap copy that needs no release
   * @throws IllegalArgumentException if the message is too short for the framing
   */
  ByteBuf unframed(ByteBuf message);

  /** As {@link #unframed(ByteBuf)}, but returns a copy. */
  default byte[] unframed(byte[] message) {
    return Payloads.toBytes(unframed(Payloads.wrap(message)));
  }

  /**
   * As {@link #unframed(ByteBuf)}; the result shares the bytes of {@code message} where possible.
   */
  default ByteBuffer unframed(ByteBuffer message) {
    return Payloads.toByteBuffer(unframed(Payloads.wrap(message)));
  }

  /** As {@link #unframed(ByteBuf)}, but returns a copy. */
  default ByteString unframed(ByteString message) {
    return Payloads.toByteString(unframed(Payloads.wrap(message)));
  }

  /**
   * Returns the message that carries this payload in the listener's framing: adds what {@link
   * #unframed(ByteBuf)} removes.
   *
   * @param owned one reference passes to this method
   * @return owned by the caller
   * @throws IllegalArgumentException if the payload does not fit the framing
   */
  ByteBuf framed(ByteBuf owned);

  /** As {@link #framed(ByteBuf)}, but returns a copy. */
  default byte[] framed(byte[] payload) {
    return Payloads.convertAndRelease(framed(Payloads.wrap(payload)), Payloads::toBytes);
  }

  /** As {@link #framed(ByteBuf)}, but returns a copy. */
  default ByteBuffer framed(ByteBuffer payload) {
    byte[] message = Payloads.convertAndRelease(framed(Payloads.wrap(payload)), Payloads::toBytes);
    return ByteBuffer.wrap(message);
  }

  /** As {@link #framed(ByteBuf)}, but returns a copy. */
  default ByteString framed(ByteString payload) {
    return Payloads.convertAndRelease(framed(Payloads.wrap(payload)), Payloads::toByteString);
  }
}
