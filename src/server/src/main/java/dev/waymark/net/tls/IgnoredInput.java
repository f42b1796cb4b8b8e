package dev.waymark.net.tls;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;

/**
 * Discards what a peer sends after its close_notify (RFC 8446, section 6.1). The engine does not
 * take it, and the handler that speaks TLS would keep it. Comes before that handler.
 */
public final class IgnoredInput extends ChannelInboundHandlerAdapter {
  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    ReferenceCountUtil.release(message);
  }
}
