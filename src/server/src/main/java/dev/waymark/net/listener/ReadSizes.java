package dev.waymark.net.listener;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator.DelegatingHandle;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;
import io.netty.util.UncheckedBooleanSupplier;
import java.util.function.BooleanSupplier;

/**
 * How much is read of a client at once: what it tends to send, within a bound; little while too
 * much memory is held. Then reading pauses, but every socket of a turn may still be read once:
 * those that are ready already, and with io_uring those that are being closed. One for all clients
 * of a port. Thread-safe.
 */
final class ReadSizes implements RecvByteBufAllocator {
  /** In a turn in which memory is short; 4,096 of them are 4 MiB. */
  static final int SHORT_BYTES = 1_024;

  private static final int BYTES_MIN = 64;
  private static final int BYTES_INITIAL = 2_048;

  /** In a row, as by default. */
  private static final int READS_MAX = 16;

  private final RecvByteBufAllocator adaptive;
  private final BooleanSupplier isShort;

  /**
   * @param isShort whether too much memory is held; asked at each read
   */
  ReadSizes(int bytesMax, BooleanSupplier isShort) {
    this.adaptive =
        new AdaptiveRecvByteBufAllocator(BYTES_MIN, Math.min(BYTES_INITIAL, bytesMax), bytesMax)
            .maxMessagesPerRead(READS_MAX);
    this.isShort = isShort;
  }

  @Override
  @SuppressWarnings("deprecation") // Netty's interface has no other method.
  public Handle newHandle() {
    return new Bounded((ExtendedHandle) adaptive.newHandle());
  }

  private final class Bounded extends DelegatingHandle implements ExtendedHandle {
    Bounded(ExtendedHandle adaptive) {
      super(adaptive);
    }

    @Override
    public int guess() {
      int bytes = delegate().guess();
      return bytes > SHORT_BYTES && isShort.getAsBoolean() ? SHORT_BYTES : bytes;
    }

    @Override
    public ByteBuf allocate(ByteBufAllocator allocator) {
      return allocator.ioBuffer(guess());
    }

    @Override
    public boolean continueReading(UncheckedBooleanSupplier maybeMoreData) {
      return ((ExtendedHandle) delegate()).continueReading(maybeMoreData);
    }
  }
}
