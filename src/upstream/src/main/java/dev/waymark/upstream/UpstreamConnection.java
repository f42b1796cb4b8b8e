package dev.waymark.upstream;

import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Hello;
import dev.waymark.protocol.Open;
import io.netty.buffer.ByteBuf;

/**
 * A connection that is attached to this upstream. Thread-safe: every method may be called from any
 * thread and none blocks; calls of one thread take effect in order.
 *
 * <p>What goes beyond the bridge's grant waits inside, in order, up to a bound. When the attachment
 * has ended everything is silently dropped: {@link ConnectionHandler#onClose} has said so, or is
 * about to.
 */
public interface UpstreamConnection {
  /** The connection's mark in text form. */
  String mark();

  /**
   * Which attachment of the connection this is: the fencing token for what the upstream does
   * outside.
   */
  int epoch();

  /** What the bridge said of the connection. */
  Open open();

  /** The bridge. */
  Hello hello();

  /** False once the attachment has ended. */
  boolean isOpen();

  /**
   * Up to which offset the handler has been given client bytes. The start of a message that is not
   * whole does not count in {@link Delivery#MESSAGES}: it must not be consumed before it is given.
   */
  long receivedOffset();

  /**
   * Whether replies wait for the bridge's grant; {@link ConnectionHandler#onWritable} is called
   * when none does any more.
   */
  boolean isWaiting();

  /**
   * The largest reply that {@link #commit} takes: the grant, or the bound of what may wait if that
   * is smaller.
   */
  int commitBytesMax();

  /**
   * Reply bytes that acknowledge nothing: part of a longer reply, or none at all. They may be cut
   * anywhere.
   *
   * @param owned one reference passes to this method; released on every path
   * @throws IllegalStateException after {@link #halfClose}, or if more would wait than the upstream
   *     allows
   */
  void send(ByteBuf owned);

  /**
   * A reply and what it answers, in one: the bridge takes both or neither, so the reply reaches the
   * client once.
   *
   * @param owned one reference passes to this method; released on every path
   * @param consumedOffset this upstream is done with every client byte before it; cumulative, a
   *     lower one than before is ignored
   * @throws IllegalArgumentException if the reply is larger than {@link #commitBytesMax} or the
   *     offset beyond what was received
   * @throws IllegalStateException as in {@link #send}
   */
  void commit(ByteBuf owned, long consumedOffset);

  /**
   * As {@link #commit(ByteBuf, long)}, and what the next owner of the connection is to know.
   *
   * @param context at most 4 KiB; empty clears
   */
  void commit(ByteBuf owned, long consumedOffset, byte[] context);

  /**
   * Acknowledges without a reply, behind all that was sent before; also after {@link #halfClose}.
   */
  void consume(long consumedOffset);

  /** Checkpoints a context, at most 4 KiB, alone; empty clears. */
  void context(byte[] context);

  /**
   * Tells the bridge that a long request is still being worked on, so that its clocks start anew
   * (protocol.md, rule 7). To be called more often than the bridge's `progress-timeout` (30 s by
   * default) while nothing is consumed; costs one empty frame, and nothing while the transport
   * takes no more.
   */
  void working();

  /**
   * Hands the connection over now, with what was acknowledged so far: the next owner gets every
   * later byte again. Takes effect behind all that was sent before, and where a reply ends: after
   * {@link #send} with the next {@link #commit} or {@link #consume}. What is sent after that is
   * dropped. Without effect before {@link ConnectionHandler#onRelease}.
   */
  void release();

  /**
   * No reply bytes follow: the client gets a FIN behind the last byte, also when bytes still wait.
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

  /**
   * What a message carries, without the length or delimiter of the listener's framing.
   *
   * @param message a whole message, as in {@link Delivery#MESSAGES}; its indices stay
   * @return borrowed from `message`, or a heap copy that needs no release
   * @throws IllegalArgumentException if the message is too short for the framing
   */
  ByteBuf unframed(ByteBuf message);

  /**
   * The message that carries this payload in the listener's framing: what {@link #unframed} took
   * away is put back.
   *
   * @param owned one reference passes to this method
   * @return owned by the caller
   * @throws IllegalArgumentException if the payload does not fit the framing
   */
  ByteBuf framed(ByteBuf owned);
}
