package dev.waymark.protocol.codec;

import static dev.waymark.v1.UpstreamFrame.newBuilder;

import com.google.protobuf.UnsafeByteOperations;
import dev.waymark.protocol.Check;
import dev.waymark.protocol.Hello;
import dev.waymark.protocol.SizeLimits;
import dev.waymark.protocol.UpstreamFrame;
import dev.waymark.v1.Draining;
import dev.waymark.v1.Load;
import dev.waymark.v1.Pong;
import dev.waymark.v1.Push;
import dev.waymark.v1.Released;
import dev.waymark.v1.Settings;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * Encodes what an upstream sends into a batch. Confined to the thread of its lane. Every method
 * appends one frame and throws IllegalStateException if the batch would grow over {@link
 * SizeLimits#BATCH_BYTES_MAX}: send it before.
 */
public final class UpstreamBatchWriter {
  private static final int CONNECTION_TAG = 1 << 3;
  private static final int EPOCH_TAG = 2 << 3;
  private static final int PAYLOAD_TAG = 3 << 3 | 2;
  private static final int CONSUMED_TAG = 4 << 3;
  private static final int CONTEXT_TAG = 5 << 3 | 2;
  private static final int MORE_TAG = 6 << 3;
  private static final int HALF_CLOSE_TAG = 7 << 3;
  private static final int CLOSE_TAG = 8 << 3;

  private final OutboundBatch batch = new OutboundBatch();

  /** What was written since the last message; always the same object. */
  public OutboundBatch batch() {
    return batch;
  }

  /** The upstream acknowledges; the first frame. {@code windowBytes} 0: the bridge's own window. */
  public void settings(int windowBytes, boolean isAnnouncementsWanted) {
    var settings =
        Settings.newBuilder()
            .setRevision(Hello.REVISION)
            .setWindowBytes(windowBytes)
            .setAnnouncements(isAnnouncementsWanted);
    append(newBuilder().setSettings(settings));
  }

  /**
   * A commit, or a part of one.
   *
   * @param ownedPayload at most {@link SizeLimits#PAYLOAD_BYTES_MAX}; this method releases it, or
   *     the batch does once it is sent
   * @param consumedOrAbsent a client offset, or {@link UpstreamFrame#ABSENT}
   * @param context at most {@link SizeLimits#CONTEXT_BYTES_MAX}; empty clears; null: absent
   * @param more the commit goes on in the connection's next frame
   * @param closeCode of a CloseReason; 0: the connection goes on
   */
  public void data(
      long connection,
      int epoch,
      ByteBuf ownedPayload,
      long consumedOrAbsent,
      byte @Nullable [] context,
      boolean more,
      boolean halfClose,
      int closeCode) {
    try {
      int payloadBytes = ownedPayload.readableBytes();
      Check.that(payloadBytes <= SizeLimits.PAYLOAD_BYTES_MAX, "a payload is at most 64 KiB");
      Check.that(
          context == null || context.length <= SizeLimits.CONTEXT_BYTES_MAX,
          "a context is at most 4 KiB");
      batch.startFrame(
          FrameSize.ofNonZero(connection)
              + FrameSize.ofNonZero(Integer.toUnsignedLong(epoch))
              + (payloadBytes == 0 ? 0 : FrameSize.ofBytes(payloadBytes))
              + (consumedOrAbsent == UpstreamFrame.ABSENT
                  ? 0
                  : FrameSize.ofVarint(consumedOrAbsent))
              + (context == null ? 0 : FrameSize.ofBytes(context.length))
              + FrameSize.ofTrue(more)
              + FrameSize.ofTrue(halfClose)
              + FrameSize.ofNonZero(closeCode));
      attached(connection, epoch, ownedPayload);
      commit(consumedOrAbsent, context, more, halfClose, closeCode);
    } finally {
      ownedPayload.release();
    }
  }

  private void attached(long connection, int epoch, ByteBuf payload) {
    if (connection != 0) {
      batch.varintField(CONNECTION_TAG, connection);
    }
    if (epoch != 0) {
      batch.varintField(EPOCH_TAG, Integer.toUnsignedLong(epoch));
    }
    if (payload.isReadable()) {
      batch.payloadField(PAYLOAD_TAG, payload);
    }
  }

  private void commit(
      long consumedOrAbsent,
      byte @Nullable [] context,
      boolean more,
      boolean halfClose,
      int closeCode) {
    if (consumedOrAbsent != UpstreamFrame.ABSENT) {
      batch.varintField(CONSUMED_TAG, consumedOrAbsent);
    }
    if (context != null) {
      batch.bytesField(CONTEXT_TAG, context);
    }
    if (more) {
      batch.varintField(MORE_TAG, 1);
    }
    if (halfClose) {
      batch.varintField(HALF_CLOSE_TAG, 1);
    }
    if (closeCode != 0) {
      batch.varintField(CLOSE_TAG, closeCode);
    }
  }

  /**
   * The last frame of an epoch, after a Release.
   *
   * @param consumedOrAbsent final, or {@link UpstreamFrame#ABSENT} for what was said before
   */
  public void released(long connection, int epoch, long consumedOrAbsent) {
    var frame =
        newBuilder()
            .setConnection(connection)
            .setEpoch(epoch)
            .setReleased(Released.getDefaultInstance());
    append(consumedOrAbsent == UpstreamFrame.ABSENT ? frame : frame.setConsumed(consumedOrAbsent));
  }

  /**
   * Bytes for any connection of the bridge.
   *
   * @param id repeated in the answer
   * @param mark of the connection
   * @param payload at most {@link SizeLimits#PAYLOAD_BYTES_MAX}; stays the caller's
   * @param epochOrAbsent the only epoch in which they are to be written, or {@link
   *     UpstreamFrame#ABSENT}
   */
  public void push(long id, String mark, ByteBuf payload, long epochOrAbsent) {
    Check.that(
        payload.readableBytes() <= SizeLimits.PAYLOAD_BYTES_MAX, "a payload is at most 64 KiB");
    byte[] bytes = new byte[payload.readableBytes()];
    payload.getBytes(payload.readerIndex(), bytes);
    var push =
        Push.newBuilder()
            .setId(id)
            .setMark(mark)
            .setPayload(UnsafeByteOperations.unsafeWrap(bytes));
    if (epochOrAbsent != UpstreamFrame.ABSENT) {
      push.setEpoch((int) epochOrAbsent);
    }
    append(newBuilder().setPush(push));
  }

  /** No new connections, please. */
  public void draining() {
    append(newBuilder().setDraining(Draining.getDefaultInstance()));
  }

  /** How busy the upstream is, 0 to 1, and how many connections it could hold; 0: unknown. */
  public void load(double utilisation, int capacity) {
    append(
        newBuilder().setLoad(Load.newBuilder().setUtilisation(utilisation).setCapacity(capacity)));
  }

  /** The answer to the Ping with this id. */
  public void pong(long id) {
    append(newBuilder().setPong(Pong.newBuilder().setId(id)));
  }

  private void append(dev.waymark.v1.UpstreamFrame.Builder frame) {
    byte[] encoded = frame.build().toByteArray();
    batch.startFrame(encoded.length);
    batch.append(encoded);
  }
}
