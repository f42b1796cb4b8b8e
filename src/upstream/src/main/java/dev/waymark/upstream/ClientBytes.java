package dev.waymark.upstream;

import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Framing;
import dev.waymark.protocol.Open;
import dev.waymark.protocol.SizeLimits;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * The client direction of one attachment: checks that bytes come without a gap and within the
 * window, and delivers them, as they come or as messages. Confined to its lane's lock.
 */
final class ClientBytes {
  /** Where the bytes go. */
  @FunctionalInterface
  interface Receiver {
    /**
     * Some bytes or a whole message, as {@link Delivery} says.
     *
     * @param borrowed valid during the call
     * @param endOffset behind the last byte
     */
    void deliver(ByteBuf borrowed, long endOffset);
  }

  private final Receiver receiver;
  private final UpstreamOptions options;
  private final @Nullable MessageAssembler assembler;
  private long receivedOffset;

  /**
   * @param firstOffset where the stream goes on
   */
  ClientBytes(Receiver receiver, UpstreamOptions options, Open open, long firstOffset) {
    this.receiver = receiver;
    this.options = options;
    boolean isCut =
        options.delivery() == Delivery.MESSAGES && !(open.framing() instanceof Framing.Raw);
    this.assembler = isCut ? new MessageAssembler(messageBytesMax(options, open)) : null;
    this.receivedOffset = firstOffset;
  }

  /** The end of a message longer than the window would never come. */
  private static int messageBytesMax(UpstreamOptions options, Open open) {
    int frameBytesMax =
        open.frameBytesMax() > 0 ? open.frameBytesMax() : SizeLimits.BATCH_BYTES_MAX;
    return options.windowBytes() == 0
        ? frameBytesMax
        : Math.min(frameBytesMax, options.windowBytes());
  }

  /**
   * The next bytes.
   *
   * @param last whether they end a message
   * @param consumedOffset how far the upstream has acknowledged
   * @return why to close the connection; null: no reason
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

  /** Drops the start of a message whose end has not come. */
  void discard() {
    if (assembler != null) {
      assembler.discard();
    }
  }

  /** The offset behind the last byte that came, delivered or not. */
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
