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
 * The size of reads from clients: adapts to what a client sends, within a bound, and is small while
 * too much memory is held. Reading is paused then, but every socket may still be read once in that
 * turn, if it was already ready or, with io_uring, is being closed. Shared by all clients of a
 * port. Thread-safe.
 */
final class ReadSizes implements RecvByteBufAllocator {
  /** The size of a read while memory is short; 4,096 such reads are 4 MiB. */
  static final int LOW_MEMORY_BYTES = 1_024;

  private static final int BYTES_MIN = 64;
  private static final int BYTES_INITIAL = 2_048;

  /** Consecutive reads of a socket; Netty's default. */
  private static final int READS_MAX = 16;

  private final RecvByteBufAllocator adaptive;
  private final BooleanSupplier isMemoryShort;

  /**
   * @param isMemoryShort whether too much memory is held; called for each read
   */
  ReadSizes(int bytesMax, BooleanSupplier isMemoryShort) {
    this.adaptive =
        new AdaptiveRecvByteBufAllocator(BYTES_MIN, Math.min(BYTES_INITIAL, bytesMax), bytesMax)
            .maxMessagesPerRead(READS_MAX);
    this.isMemoryShort = isMemoryShort;
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
      return bytes > LOW_MEMORY_BYTES && isMemoryShort.getAsBoolean() ? LOW_MEMORY_BYTES : bytes;
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
