package dev.waymark.tools.bench;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.net.InetSocketAddress;

/**
 * Holds back {@code channelActive} from the connection until the TLS handshake is complete, and is
 * then gone. Confined to its event loop.
 */
final class BenchHandshake extends ChannelInboundHandlerAdapter {
  private final BenchTls tls;
  private final InetSocketAddress target;
  private final BenchConnection connection;

  BenchHandshake(BenchTls tls, InetSocketAddress target, BenchConnection connection) {
    this.tls = tls;
    this.target = target;
    this.connection = connection;
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    // Follows once the handshake is complete.
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (!(event instanceof SslHandshakeCompletionEvent done)) {
      context.fireUserEventTriggered(event);
    } else if (done.isSuccess()) {
      tls.onHandshake(context.pipeline().get(SslHandler.class).engine().getSession());
      context.fireChannelActive();
      context.pipeline().remove(this);
    } else {
      connection.onRefused(SocketErrors.handshakeFailure(target, done.cause()));
      context.close();
    }
  }
}
