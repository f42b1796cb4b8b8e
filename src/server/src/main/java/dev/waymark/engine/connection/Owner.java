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

    /** The owner takes more, or is held back, or no longer is. */
    void onOwnerChanged(long nowNs);
  }

  // --- requests ---

  /** The connection is attached from now on. */
  void open(Attached connection, Open open);

  /**
   * Client bytes.
   *
   * @param owned the reference passes to this method
   * @param limit a new limit that travels along, or {@link ReplyDirection#NO_LIMIT}
   */
  void data(Attached connection, long offset, ByteBuf owned, boolean isLast, long limit);

  /** The owner may send replies up to this offset. */
  void limit(Attached connection, long limit);

  /** The client has ended its direction at this offset. */
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

  /** The connection has bytes to send and the transport is full: it is resumed later. */
  void stall(Attached connection);

  /** A connection has filled its window. */
  void onWindowFull(long nowNs);

  /** A connection was taken away because the owner showed no sign of work. */
  void onStalled(long nowNs);

  /** Something speaks against the upstream. */
  void reportOutlier(OutlierSignal why);

  /** So many more of its connections are being handed over to other owners. */
  void leaving(int change);

  /** So many more connections are being handed over to this owner. */
  void coming(int change);

  // --- state ---

  /** host:port or unix:path; the upstream's identity within its pool. */
  String upstreamAddress();

  /** The pool whose upstream this is. */
  String poolName();

  /** It can take connections, and has neither broken nor been finished. */
  boolean isOpen();

  /** The transport takes more. */
  boolean isWritable();

  /** No client bytes may be sent for now, since another upstream leads (rule 6). */
  boolean isHeldBack();

  /** It has said Settings: windows, credit and clocks hold. */
  boolean isAcknowledging();

  /** It has shown that it never acknowledges: what it is sent counts as consumed. */
  boolean isAtMostOnce();

  /** Unconsumed bytes that one connection may have under way now. */
  int windowBytes();

  /** When it was last heard, as {@link ConnectionHost#elapsedNs}; only if it ever was. */
  long heardNs();
}
