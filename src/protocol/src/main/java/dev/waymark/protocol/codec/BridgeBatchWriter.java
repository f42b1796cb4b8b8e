package dev.waymark.protocol.codec;

import static dev.waymark.v1.BridgeFrame.newBuilder;

import dev.waymark.protocol.BridgeFrame;
import dev.waymark.protocol.Check;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Hello;
import dev.waymark.protocol.Open;
import dev.waymark.protocol.PushResult;
import dev.waymark.protocol.SizeLimits;
import dev.waymark.v1.Closed;
import dev.waymark.v1.HalfClose;
import dev.waymark.v1.Opened;
import dev.waymark.v1.Ping;
import dev.waymark.v1.Release;
import dev.waymark.v1.Synced;
import dev.waymark.v1.Syncing;
import io.netty.buffer.ByteBuf;

/**
 * Encodes what a bridge sends. Every method appends one frame to the batch and throws
 * IllegalStateException if the batch would exceed {@link SizeLimits#BATCH_BYTES_MAX}: send it
 * before that. Confined to the thread of its lane.
 */
public final class BridgeBatchWriter {
  private static final int CONNECTION_TAG = 1 << 3;
  private static final int EPOCH_TAG = 2 << 3;
  private static final int PAYLOAD_TAG = 3 << 3 | 2;
  private static final int OFFSET_TAG = 4 << 3;
  private static final int LAST_TAG = 5 << 3;
  private static final int LIMIT_TAG = 6 << 3;

  private final OutboundBatch batch = new OutboundBatch();

  /** The batch with everything written since the last message. Always the same object. */
  public OutboundBatch batch() {
    return batch;
  }

  /** Appends a Hello, the first frame of a lane. */
  public void hello(Hello hello) {
    append(newBuilder().setHello(Messages.toProto(hello)));
  }

  /** Attaches a connection. */
  public void open(long connection, int epoch, Open open) {
    append(newBuilder().setConnection(connection).setEpoch(epoch).setOpen(Messages.toProto(open)));
  }

  /**
   * Appends client bytes, optionally with a limit.
   *
   * @param offset the offset of the payload's first byte in the client's stream
   * @param ownedPayload at most {@link SizeLimits#PAYLOAD_BYTES_MAX} bytes; released by this
   *     method, or by the batch once it is sent
   * @param last whether the payload ends a framed message
   * @param limitOrAbsent the reply limit, or {@link BridgeFrame#ABSENT}
   */
  public void data(
      long connection,
      int epoch,
      long offset,
      ByteBuf ownedPayload,
      boolean last,
      long limitOrAbsent) {
    try {
      int payloadBytes = ownedPayload.readableBytes();
      Check.that(payloadBytes <= SizeLimits.PAYLOAD_BYTES_MAX, "a payload is at most 64 KiB");
      batch.startFrame(
          headBytes(connection, epoch)
              + (payloadBytes == 0 ? 0 : FrameSize.ofBytes(payloadBytes))
              + FrameSize.ofNonZero(offset)
              + FrameSize.ofTrue(last)
              + (limitOrAbsent == BridgeFrame.ABSENT ? 0 : FrameSize.ofVarint(limitOrAbsent)));
      head(connection, epoch);
      if (payloadBytes > 0) {
        batch.payloadField(PAYLOAD_TAG, ownedPayload);
      }
      if (offset != 0) {
        batch.varintField(OFFSET_TAG, offset);
      }
      if (last) {
        batch.varintField(LAST_TAG, 1);
      }
      if (limitOrAbsent != BridgeFrame.ABSENT) {
        batch.varintField(LIMIT_TAG, limitOrAbsent);
      }
    } finally {
      ownedPayload.release();
    }
  }

  /** Appends a limit without data. */
  public void limit(long connection, int epoch, long limit) {
    batch.startFrame(headBytes(connection, epoch) + FrameSize.ofVarint(limit));
    head(connection, epoch);
    batch.varintField(LIMIT_TAG, limit);
  }

  /** Says that the client sent FIN after this many bytes. */
  public void halfClose(long connection, int epoch, long offset) {
    append(
        newBuilder()
            .setConnection(connection)
            .setEpoch(epoch)
            .setHalfClose(HalfClose.newBuilder().setOffset(offset)));
  }

  /** Ends an attachment. */
  public void close(long connection, int epoch, CloseReason reason) {
    var close = dev.waymark.v1.Close.newBuilder().setReasonValue(reason.wireCode());
    append(newBuilder().setConnection(connection).setEpoch(epoch).setClose(close));
  }

  /** Asks the upstream to hand the connection over. */
  public void release(long connection, int epoch) {
    append(
        newBuilder()
            .setConnection(connection)
            .setEpoch(epoch)
            .setRelease(Release.getDefaultInstance()));
  }

  /** Asks for a Pong with the same id. */
  public void ping(long id) {
    append(newBuilder().setPing(Ping.newBuilder().setId(id)));
  }

  /** Answers a Push. */
  public void pushResult(PushResult result) {
    CloseReason reason = result.reason();
    var message =
        dev.waymark.v1.PushResult.newBuilder()
            .setId(result.id())
            .setOutcomeValue(result.outcome().wireCode())
            .setReasonValue(reason == null ? 0 : reason.wireCode())
            .setClosedUnixMs(result.closedUnixMs())
            .setWaitingBytes(result.waitingBytes());
    append(newBuilder().setPushResult(message));
  }

  /** Starts the announcements, or starts them over. */
  public void syncing() {
    append(newBuilder().setSyncing(Syncing.getDefaultInstance()));
  }

  /** Announces a connection. */
  public void opened(long connection, String mark, String listener, String clientAddress) {
    var opened =
        Opened.newBuilder().setMark(mark).setListener(listener).setClientAddress(clientAddress);
    append(newBuilder().setConnection(connection).setOpened(opened));
  }

  /** Announces that a connection has ended. */
  public void closed(long connection, CloseReason reason) {
    var closed = Closed.newBuilder().setReasonValue(reason.wireCode());
    append(newBuilder().setConnection(connection).setClosed(closed));
  }

  /** Says that every existing connection has been announced. */
  public void synced() {
    append(newBuilder().setSynced(Synced.getDefaultInstance()));
  }

  private static int headBytes(long connection, int epoch) {
    return FrameSize.ofNonZero(connection) + FrameSize.ofNonZero(Integer.toUnsignedLong(epoch));
  }

  private void head(long connection, int epoch) {
    if (connection != 0) {
      batch.varintField(CONNECTION_TAG, connection);
    }
    if (epoch != 0) {
      batch.varintField(EPOCH_TAG, Integer.toUnsignedLong(epoch));
    }
  }

  private void append(dev.waymark.v1.BridgeFrame.Builder frame) {
    byte[] encoded = frame.build().toByteArray();
    batch.startFrame(encoded.length);
    batch.append(encoded);
  }
}
