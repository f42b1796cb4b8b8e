package dev.waymark.upstream;

import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Framing;
import dev.waymark.protocol.Open;
import dev.waymark.protocol.SizeLimits;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * The client direction of one attachment: checks that bytes arrive without a gap and within the
 * window, and delivers them as they arrive or as messages. Confined to its lane's lock.
 */
final class ClientBytes {
  /** Receives the bytes. */
  @FunctionalInterface
  interface Receiver {
    /**
     * Called with some bytes or with a whole message, as {@link Delivery} says.
     *
     * @param borrowed valid during the call
     * @param endOffset the offset after the last byte
     */
    void deliver(ByteBuf borrowed, long endOffset);
  }

  private final Receiver receiver;
  private final UpstreamOptions options;
  private final @Nullable MessageAssembler assembler;
  private long receivedOffset;

  /**
   * @param firstOffset the offset of the first byte to expect
   */
  ClientBytes(Receiver receiver, UpstreamOptions options, Open open, long firstOffset) {
    this.receiver = receiver;
    this.options = options;
    boolean isFramed =
        options.delivery() == Delivery.MESSAGES && !(open.framing() instanceof Framing.Raw);
    this.assembler = isFramed ? new MessageAssembler(messageBytesMax(options, open)) : null;
    this.receivedOffset = firstOffset;
  }

  /**
   * The longest message. Capped at the window, because the end of a longer message would never
   * arrive.
   */
  private static int messageBytesMax(UpstreamOptions options, Open open) {
    int frameBytesMax =
        open.frameBytesMax() > 0 ? open.frameBytesMax() : SizeLimits.BATCH_BYTES_MAX;
    return options.windowBytes() == 0
        ? frameBytesMax
        : Math.min(frameBytesMax, options.windowBytes());
  }

  /**
   * Called with the next bytes.
   *
   * @param last whether they end a message
   * @param consumedOffset the offset up to which the upstream has acknowledged
   * @return why the connection must be closed, or null
   */
  @Nullable CloseReason onData(ByteBuf borrowed, long offset, boolean last, long consumedOffset) {
    if (offset != receivedOffset) {
      return CloseReason.PROTOCOL;
    }
    int bytes = borrowed.readableBytes();
    long endOffset = offset + bytes;
    if (options.acknowledge() && endOffset - consumedOffset > options.receivableBytesMax()) {
      return CloseReason.FLOW_CONTROL;
    }
    receivedOffset = endOffset;
    if (assembler == null) {
      if (bytes > 0) {
        receiver.deliver(borrowed, endOffset);
      }
    } else if (assembler.isTooLong(borrowed, last)) {
      return CloseReason.FRAME_TOO_LONG;
    } else if (last) {
      deliverMessage(assembler.complete(borrowed), endOffset);
    } else {
      assembler.add(borrowed);
    }
    return null;
  }

  /** Drops the start of an incomplete message. */
  void discard() {
    if (assembler != null) {
      assembler.discard();
    }
  }

  /** The offset after the last byte received, delivered or not. */
  long receivedOffset() {
    return receivedOffset;
  }

  private void deliverMessage(ByteBuf owned, long endOffset) {
    try {
      receiver.deliver(owned, endOffset);
    } finally {
      owned.release();
    }
  }
}
