package dev.waymark.engine.connection;

import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.engine.stream.ReplyDirection;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Mark;
import dev.waymark.protocol.Open;
import io.netty.buffer.ByteBuf;

/**
 * The upstream that owns a connection, as the connection sees it: what the connection asks of it,
 * and the state that decides what may be sent. Implemented by the lane. Called on the shard's
 * thread only.
 *
 * <p>{@link #data}, {@link #limit}, {@link #halfClose} and {@link #release} are called only while
 * the connection is attached, so the lane is open; {@link #close} and {@link #detached} may also
 * come from a lane that is breaking.
 */
public interface Owner {
  /** A connection as its owner sees it: enough to address frames and to resume it. */
  interface Attached {
    Mark mark();

    /** The second half of its mark; addresses its frames. */
    long sequence();

    /** The current ownership; grows by one with each owner. */
    int epoch();

    /** The owner is writable again, its window has changed, or {@link #isHeldBack} has. */
    void onOwnerChanged(long nowNs);
  }

  // --- requests ---

  /** Attaches the connection. */
  void open(Attached connection, Open open);

  /**
   * Sends client bytes.
   *
   * @param owned the reference passes to this method
   * @param isLast whether they end a message
   * @param limit a new limit that travels along, or {@link ReplyDirection#NO_LIMIT}
   */
  void data(Attached connection, long offset, ByteBuf owned, boolean isLast, long limit);

  /** Allows the owner to send replies up to this offset. */
  void limit(Attached connection, long limit);

  /** Tells the owner that the client has ended its direction at this offset. */
  void halfClose(Attached connection, long offset);

  /** Asks the owner to hand the connection over. */
  void release(Attached connection);

  /** Tells the owner that it has lost the connection, if it can still be told. */
  void close(Attached connection, CloseReason reason);

  /**
   * The connection is no longer attached.
   *
   * @param hasLeftover client bytes that the owner was sent and has not consumed stay behind
   */
  void detached(Attached connection, boolean hasLeftover);

  /**
   * The connection has bytes to send and the transport is full: {@link Attached#onOwnerChanged}
   * follows when it is writable.
   */
  void awaitWritable(Attached connection);

  /**
   * A connection waits for nothing but an acknowledgement: it has filled its window, or both its
   * directions have ended.
   */
  void awaitAcknowledgement(long nowNs);

  /** A connection was fenced because the owner showed no sign of work. */
  void onConnectionStalled(long nowNs);

  /** Reports evidence against the upstream. */
  void reportOutlier(OutlierSignal why);

  /** This many more of its connections are being handed over to other owners. */
  void leaving(int change);

  /** This many more connections are being handed over to this owner. */
  void coming(int change);

  // --- state ---

  /** host:port or unix:path; the upstream's identity within its pool. */
  String upstreamAddress();

  /** The pool whose upstream this is. */
  String poolName();

  /** Whether frames may travel: it is established, and neither broken nor finished. */
  boolean isOpen();

  /** Whether the transport takes more. */
  boolean isWritable();

  /** Whether no client bytes may be sent for now, because it does not lead its pool (rule 6). */
  boolean isHeldBack();

  /** Whether it has sent Settings: windows, credit and clocks apply. */
  boolean isAcknowledging();

  /** Whether it is known never to acknowledge: what it is sent counts as consumed. */
  boolean isAtMostOnce();

  /**
   * Whether it acknowledges, but holds a session for each connection that no other owner could
   * resume: they are never moved and never replayed.
   */
  boolean isPinned();

  /** How many unconsumed bytes one connection may have under way now. */
  int windowBytes();

  /** When its last frame came, as {@link ConnectionHost#elapsedNs}; only if there was one. */
  long heardNs();
}
