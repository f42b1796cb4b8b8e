package dev.waymark.engine.lane;

import dev.waymark.protocol.BridgeFrame;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Hello;
import dev.waymark.protocol.Open;
import dev.waymark.protocol.PushResult;
import io.netty.buffer.ByteBuf;

/**
 * The gRPC call under a lane; implemented at the edge. Frames gather and leave together at {@link
 * #flush}. Called on the shard's thread only, and only between {@link Lane#onReady} and the lane's
 * end; {@link #cancel} at any time.
 */
public interface LaneTransport {
  void hello(Hello hello);

  void open(long connection, int epoch, Open open);

  /**
   * Sends client bytes.
   *
   * @param owned the reference passes to this method, but its indices must not move: the bytes may
   *     have to be sent again
   * @param limit a new limit that travels along, or {@link BridgeFrame#ABSENT}
   */
  void data(long connection, int epoch, long offset, ByteBuf owned, boolean isLast, long limit);

  void limit(long connection, int epoch, long limit);

  void halfClose(long connection, int epoch, long offset);

  void close(long connection, int epoch, CloseReason reason);

  /** Asks the upstream to hand the connection over. */
  void release(long connection, int epoch);

  void ping(long id);

  /** Answers a Push. */
  void pushResult(PushResult result);

  /** Announcements begin, or start over. */
  void syncing();

  /** Announces that a connection is open. */
  void opened(long connection, String mark, String listener, String clientAddress);

  /** Announces that a connection is closed. */
  void closed(long connection, CloseReason reason);

  /** All open connections have been announced. */
  void synced();

  /** The number of encoded bytes that wait for {@link #flush}. */
  int batchBytes();

  /**
   * Sends the frames gathered so far as one message.
   *
   * @return whether the transport takes more; if not, {@link Lane#onReady} follows when it does
   */
  boolean flush();

  /** Ends the call with an error; no {@link Lane#onBroken} follows. */
  void cancel(String cause);

  /** Half-closes the call after the frames sent; the upstream ends its direction. */
  void finish();
}
