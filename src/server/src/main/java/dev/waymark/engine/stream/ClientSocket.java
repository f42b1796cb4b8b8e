package dev.waymark.engine.stream;

import io.netty.buffer.ByteBuf;

/**
 * The client's socket as a connection uses it; implemented at the edge. Called on the shard's
 * thread only.
 */
public interface ClientSocket {
  /** host:port of the client, IPv6 in brackets. */
  String clientAddress();

  /** The client's IP address without port; may be a new text each time. */
  String clientHost();

  /** host:port that the client dialled; may be a new text each time. Asked for once. */
  String localAddress();

  /**
   * Queues bytes; they leave at {@link #flush}. What the kernel took is reported by {@code
   * Connection.onWritten}, in order.
   *
   * @param owned the reference passes to this method
   */
  void write(ByteBuf owned);

  /**
   * What was given to {@link #write} and the kernel has not taken yet; falls also while one large
   * flush goes on.
   */
  long unwrittenBytes();

  /** Hands what is queued to the kernel, as far as it takes it. */
  void flush();

  /** Sends FIN after everything queued; reading goes on. */
  void finish();

  /** Stops reading; what comes waits in the kernel. */
  void pauseReading();

  /** Reads again. */
  void resumeReading();

  /** Closes now; everything queued has been written. {@code Connection.onSocketClosed} follows. */
  void close();

  /** Closes with RST and drops what is queued. {@code Connection.onSocketClosed} follows. */
  void reset();
}
