package dev.waymark.api.http;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.util.List;
import java.util.function.Supplier;

/**
 * Tells a client that speaks plain HTTP to a port with TLS so, which is kinder than to close its
 * connection. Replaced by the handler that speaks TLS when the client's first byte is that of a
 * handshake. Confined to the port's event loop.
 */
final class PlaintextDetector extends ByteToMessageDecoder {
  /** The type of a TLS record with a handshake message (RFC 8446, section 5.1). */
  private static final int HANDSHAKE = 22;

  private final Supplier<ChannelHandler> tls;
  private final Runnable onPlaintext;

  /**
   * @param tls creates the handler that speaks TLS
   * @param onPlaintext called before the client's first bytes are passed on
   */
  PlaintextDetector(Supplier<ChannelHandler> tls, Runnable onPlaintext) {
    this.tls = tls;
    this.onPlaintext = onPlaintext;
  }

  @Override
  protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
    if (in.getUnsignedByte(in.readerIndex()) == HANDSHAKE) {
      context.pipeline().replace(this, "tls", tls.get());
    } else {
      onPlaintext.run();
      context.pipeline().remove(this);
    }
  }
}
