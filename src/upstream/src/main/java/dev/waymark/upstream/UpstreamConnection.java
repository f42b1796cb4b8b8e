package dev.waymark.upstream;

import com.google.protobuf.ByteString;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Hello;
import dev.waymark.protocol.Open;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;

/**
 * A client's connection, for as long as it is attached to this upstream. Thread-safe: every method
 * may be called from any thread and none blocks; calls of one thread take effect in order.
 *
 * <p>Replies that exceed the bridge's reply window wait inside, in order, up to a bound. Once the
 * attachment has ended, everything is silently dropped: {@link ConnectionHandler#onClose} has said
 * so, or is about to.
 *
 * <p><b>Payloads.</b> Every method that takes a reply takes it in four forms. None of them ever
 * changes the object that it is given.
 *
 * <table>
 *   <caption>Ownership and cost</caption>
 *   <tr><th>form</th><th>afterwards</th><th>cost besides sending</th></tr>
 *   <tr><td>{@link ByteBuf}</td><td>one reference passes to the SDK, which releases it on every
 *     path, also when the method throws</td><td>none</td></tr>
 *   <tr><td>{@link ByteString}</td><td>immutable, stays yours</td><td>none</td></tr>
 *   <tr><td>{@code byte[]}</td><td>yours again: change or reuse it</td><td>one copy</td></tr>
 *   <tr><td>{@link ByteBuffer}</td><td>yours again; what is between position and limit is sent, and
 *     both stay</td><td>one copy</td></tr>
 * </table>
 */
public interface UpstreamConnection {
  /** The connection's mark in text form. */
  String mark();

  /**
   * Counts the connection's attachments: the fencing token for what the upstream does outside.
   * Unsigned.
   */
  int epoch();

  /** What the bridge said of the connection. */
  Open open();

  /** The bridge. */
  Hello hello();

  /** False once the attachment has ended. */
  boolean isOpen();

  /**
   * The offset behind the last client byte that the handler was given. In {@link Delivery#MESSAGES}
   * the start of an incomplete message does not count, since it must not be consumed yet.
   */
  long receivedOffset();

  /**
   * Whether replies wait for room in the reply window or in the transport; {@link
   * ConnectionHandler#onWritable} is called when none does any more.
   */
  boolean isWaiting();

  /**
   * The largest reply that {@link #commit(ByteBuf, long)} takes, in bytes: the reply window, or the
   * bound on waiting replies if that is smaller.
   */
  int commitBytesMax();

  // --- replies ---

  /**
   * Sends reply bytes that acknowledge nothing: part of a longer reply. They may be cut anywhere.
   *
   * @param owned one reference passes to this method; released on every path
   * @throws IllegalStateException after {@link #halfClose}, or if more would wait than the upstream
   *     allows
   */
  void send(ByteBuf owned);

  /** As {@link #send(ByteBuf)}; the bytes are copied. */
  default void send(byte[] bytes) {
    send(Payloads.copyOf(bytes));
  }

  /** As {@link #send(ByteBuf)}; the remaining bytes are copied. */
  default void send(ByteBuffer bytes) {
    send(Payloads.copyOf(bytes));
  }

  /** As {@link #send(ByteBuf)}; without a copy. */
  default void send(ByteString bytes) {
    send(Payloads.wrap(bytes));
  }

  /**
   * Sends a reply and acknowledges what it answers, in one: the bridge takes both or neither, so
   * the reply reaches the client once.
   *
   * @param owned one reference passes to this method; released on every path
   * @param consumedOffset this upstream is done with every client byte before it; cumulative, a
   *     lower one than before is ignored
   * @throws IllegalArgumentException if the reply is larger than {@link #commitBytesMax} or the
   *     offset beyond what was received
   * @throws IllegalStateException as in {@link #send(ByteBuf)}
   */
  void commit(ByteBuf owned, long consumedOffset);

  /** As {@link #commit(ByteBuf, long)}; the bytes are copied. */
  default void commit(byte[] bytes, long consumedOffset) {
    commit(Payloads.copyOf(bytes), consumedOffset);
  }

  /** As {@link #commit(ByteBuf, long)}; the remaining bytes are copied. */
  default void commit(ByteBuffer bytes, long consumedOffset) {
    commit(Payloads.copyOf(bytes), consumedOffset);
  }

  /** As {@link #commit(ByteBuf, long)}; without a copy. */
  default void commit(ByteString bytes, long consumedOffset) {
    commit(Payloads.wrap(bytes), consumedOffset);
  }

  /**
   * As {@link #commit(ByteBuf, long)}, and stores what the connection's next owner is to know.
   *
   * @param context at most 4 KiB, not to be changed afterwards; empty clears
   */
  void commit(ByteBuf owned, long consumedOffset, byte[] context);

  /** As {@link #commit(ByteBuf, long, byte[])}; the bytes are copied. */
  default void commit(byte[] bytes, long consumedOffset, byte[] context) {
    commit(Payloads.copyOf(bytes), consumedOffset, context);
  }

  /** As {@link #commit(ByteBuf, long, byte[])}; the remaining bytes are copied. */
  default void commit(ByteBuffer bytes, long consumedOffset, byte[] context) {
    commit(Payloads.copyOf(bytes), consumedOffset, context);
  }

  /** As {@link #commit(ByteBuf, long, byte[])}; without a copy. */
  default void commit(ByteString bytes, long consumedOffset, byte[] context) {
    commit(Payloads.wrap(bytes), consumedOffset, context);
  }

  /**
   * Acknowledges without a reply, behind everything sent before; also after {@link #halfClose}.
   *
   * @throws IllegalArgumentException if the offset is beyond what was received
   */
  void consume(long consumedOffset);

  /** Stores a context without anything else; at most 4 KiB, empty clears. */
  void context(byte[] context);

  /**
   * Tells the bridge that a long request is still being worked on, which restarts its clocks
   * (protocol.md, rule 7). Call it more often than the bridge's {@code progress-timeout} (30 s by
   * default) while nothing is consumed. It costs one empty frame, and nothing while the transport
   * is full.
   */
  void working();

  // --- the end ---

  /**
   * Hands the connection over now, with what was acknowledged so far: the next owner gets every
   * later byte again. Takes effect behind everything sent before, and where a reply ends: after
   * {@link #send(ByteBuf)} with the next commit or {@link #consume}. What is sent after that is
   * dropped. No effect before {@link ConnectionHandler#onRelease}.
   */
  void release();

  /**
   * Ends the reply direction: the client gets a FIN behind the last byte, also when bytes still
   * wait.
   */
  void halfClose();

  /**
   * Ends the connection. DONE ends it cleanly behind all bytes sent; every other reason discards
   * what waits and takes effect at once: ABORT resets the client; BUSY, NOT_HERE and SHUTTING_DOWN
   * ask the bridge to try another upstream.
   *
   * @throws IllegalArgumentException for FENCED, MOVED and UNKNOWN_CONNECTION, which only bridges
   *     say
   */
  void close(CloseReason reason);

  // --- framing ---

  /**
   * What a message carries, without the length or delimiter of the listener's framing.
   *
   * @param message a whole message, as in {@link Delivery#MESSAGES}; its indices stay
   * @return borrowed from {@code message}, or a heap copy that needs no release
   * @throws IllegalArgumentException if the message is too short for the framing
   */
  ByteBuf unframed(ByteBuf message);

  /** As {@link #unframed(ByteBuf)}; the result is a copy. */
  default byte[] unframed(byte[] message) {
    return Payloads.toBytes(unframed(Payloads.wrap(message)));
  }

  /** As {@link #unframed(ByteBuf)}; the result shares the bytes of {@code message} where it can. */
  default ByteBuffer unframed(ByteBuffer message) {
    return Payloads.toByteBuffer(unframed(Payloads.wrap(message)));
  }

  /** As {@link #unframed(ByteBuf)}; the result is a copy. */
  default ByteString unframed(ByteString message) {
    return Payloads.toByteString(unframed(Payloads.wrap(message)));
  }

  /**
   * The message that carries this payload in the listener's framing: puts back what {@link
   * #unframed(ByteBuf)} takes away.
   *
   * @param owned one reference passes to this method
   * @return owned by the caller
   * @throws IllegalArgumentException if the payload does not fit the framing
   */
  ByteBuf framed(ByteBuf owned);

  /** As {@link #framed(ByteBuf)}; the result is a copy. */
  default byte[] framed(byte[] payload) {
    return Payloads.released(framed(Payloads.wrap(payload)), Payloads::toBytes);
  }

  /** As {@link #framed(ByteBuf)}; the result is a copy. */
  default ByteBuffer framed(ByteBuffer payload) {
    byte[] message = Payloads.released(framed(Payloads.wrap(payload)), Payloads::toBytes);
    return ByteBuffer.wrap(message);
  }

  /** As {@link #framed(ByteBuf)}; the result is a copy. */
  default ByteString framed(ByteString payload) {
    return Payloads.released(framed(Payloads.wrap(payload)), Payloads::toByteString);
  }
}
