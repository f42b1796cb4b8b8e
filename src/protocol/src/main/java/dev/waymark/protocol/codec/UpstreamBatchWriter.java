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
 * Encodes what an upstream sends. Every method appends one frame to the batch and throws
 * IllegalStateException if the batch would exceed {@link SizeLimits#BATCH_BYTES_MAX}: send it
 * before that. Confined to the thread of its lane.
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

  /** The batch with everything written since the last message. Always the same object. */
  public OutboundBatch batch() {
    return batch;
  }

  /**
   * Appends Settings, the first frame of an upstream that acknowledges.
   *
   * @param windowBytes the window to ask for, or 0 to leave it to the bridge
   * @param isPinned whether connections can neither be moved nor replayed
   */
  public void settings(int windowBytes, boolean wantsAnnouncements, boolean isPinned) {
    var settings =
        Settings.newBuilder()
            .setRevision(Hello.REVISION)
            .setWindowBytes(windowBytes)
            .setAnnouncements(wantsAnnouncements)
            .setPinned(isPinned);
    append(newBuilder().setSettings(settings));
  }

  /**
   * Appends a commit, or a part of one.
   *
   * @param ownedPayload at most {@link SizeLimits#PAYLOAD_BYTES_MAX} bytes; released by this
   *     method, or by the batch once it is sent
   * @param consumedOrAbsent a client offset, or {@link UpstreamFrame#ABSENT}
   * @param context the new context, at most {@link SizeLimits#CONTEXT_BYTES_MAX} bytes; empty
   *     clears it, null leaves it as it is
   * @param more whether the commit continues in the connection's next frame
   * @param closeCode the wire code of a CloseReason, or 0 if the connection continues
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
      attachment(connection, epoch, ownedPayload);
      commit(consumedOrAbsent, context, more, halfClose, closeCode);
    } finally {
      ownedPayload.release();
    }
  }

  private void attachment(long connection, int epoch, ByteBuf payload) {
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
   * Appends a Released, the last frame of an epoch after a Release.
   *
   * @param consumedOrAbsent the final offset, or {@link UpstreamFrame#ABSENT} if the last one sent
   *     stands
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
   * Pushes bytes to any connection of the bridge.
   *
   * @param id the upstream's own number, which the answer repeats
   * @param mark the connection's mark in text form
   * @param payload at most {@link SizeLimits#PAYLOAD_BYTES_MAX} bytes; borrowed
   * @param epochOrAbsent the only epoch in which the bytes may be written, or {@link
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

  /** Asks for no new connections. */
  public void draining() {
    append(newBuilder().setDraining(Draining.getDefaultInstance()));
  }

  /**
   * Reports how busy the upstream is, from 0 to 1, and how many connections it could hold, or 0 if
   * unknown.
   */
  public void load(double utilisation, int capacity) {
    append(
        newBuilder().setLoad(Load.newBuilder().setUtilisation(utilisation).setCapacity(capacity)));
  }

  /** Answers the Ping with this id. */
  public void pong(long id) {
    append(newBuilder().setPong(Pong.newBuilder().setId(id)));
  }

  private void append(dev.waymark.v1.UpstreamFrame.Builder frame) {
    byte[] encoded = frame.build().toByteArray();
    batch.startFrame(encoded.length);
    batch.append(encoded);
  }
}
