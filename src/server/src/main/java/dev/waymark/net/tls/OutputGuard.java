package dev.waymark.net.tls;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.DuplexChannel;

/**
 * Bounds what the JDK's engine answers to a peer that does not read. Comes before the handler that
 * speaks TLS.
 *
 * <p>Every KeyUpdate with update_requested (RFC 8446, section 4.6.3) is answered with one, and the
 * JDK sets no limit to them, as BoringSSL does. An answer of 27 bytes comes in a buffer for a whole
 * record, of 16 KiB. So small answers are copied into buffers of their size, and nothing is read
 * while the socket is not writable. Confined to its event loop.
 */
public final class OutputGuard extends ChannelDuplexHandler {
  /** A buffer of which less than this part is used is copied. */
  private static final int UNUSED_FACTOR = 4;

  private static final int SMALL_CAPACITY_BYTES = 1_024;

  private boolean isReadWanted;

  @Override
  public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
    context.write(message instanceof ByteBuf bytes ? compact(context, bytes) : message, promise);
  }

  private static ByteBuf compact(ChannelHandlerContext context, ByteBuf bytes) {
    int length = bytes.readableBytes();
    if (bytes.capacity() <= SMALL_CAPACITY_BYTES || bytes.capacity() / UNUSED_FACTOR < length) {
      return bytes;
    }
    ByteBuf copy =
        bytes.isDirect()
            ? context.alloc().directBuffer(length, length)
            : context.alloc().heapBuffer(length, length);
    copy.writeBytes(bytes);
    bytes.release();
    return copy;
  }

  @Override
  public void read(ChannelHandlerContext context) {
    // A socket without output is never writable, but nothing piles up for it.
    boolean hasOutput =
        !(context.channel() instanceof DuplexChannel duplex) || !duplex.isOutputShutdown();
    if (context.channel().isWritable() || !hasOutput) {
      context.read();
    } else {
      isReadWanted = true;
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    if (isReadWanted && context.channel().isWritable()) {
      isReadWanted = false;
      context.read();
    }
    context.fireChannelWritabilityChanged();
  }
}
