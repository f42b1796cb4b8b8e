package dev.waymark.net.dial;

import dev.waymark.net.dial.UpstreamProblem.Kind;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPromise;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.ReferenceCountUtil;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import javax.net.ssl.SSLException;

/**
 * The first handler of a dialled channel, after TLS: sees the outcome of the connect and the peer's
 * first bytes before HTTP/2's handler does. Once these are known to be HTTP/2, it passes everything
 * through. Confined to the channel's event loop.
 */
final class DialGuard extends ChannelDuplexHandler {
  private static final UpstreamProblem SELF_CONNECTED =
      new UpstreamProblem(
          Kind.CONNECTION_REFUSED,
          "connection refused: nothing is listening there; the socket connected to itself");
  private static final UpstreamProblem CLOSED =
      new UpstreamProblem(
          Kind.CLOSES_AT_ONCE, "accepts the connection and closes it without sending a byte");

  private static final UpstreamProblem RESET =
      new UpstreamProblem(
          Kind.CLOSES_AT_ONCE, "accepts the connection and resets it without sending a byte");

  private final SocketAddress address;
  private final Dial dial;

  /** The bytes received so far, while they are too few to tell the protocol. */
  private ByteBuf firstBytes = Unpooled.EMPTY_BUFFER;

  private boolean isProtocolKnown;
  private boolean isConnected;

  /**
   * @param address the address to dial, whatever address grpc-java passes
   */
  DialGuard(SocketAddress address, Dial dial) {
    this.address = address;
    this.dial = dial;
  }

  @Override
  public void connect(
      ChannelHandlerContext context,
      SocketAddress remote,
      SocketAddress local,
      ChannelPromise promise) {
    dial.connecting();
    promise.addListener(done -> {
      if (done.cause() != null) {
        dial.failed(ConnectFailures.problemOf(address, done.cause()));
        close(context);
      }
    });
    context.connect(address, local, promise);
  }

  /**
   * Closes a channel whose connect failed: grpc-java forgets it, and on io_uring its descriptor
   * would stay open (docs/decisions/0024). Closes from this handler's context rather than the whole
   * pipeline, which would hide the cause from grpc-java.
   */
  private static void close(ChannelHandlerContext context) {
    if (!context.executor().isShutdown()) {
      context.close();
    }
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    if (isSelfConnected(context.channel())) {
      // Reset it: in TIME-WAIT, no server could bind the port.
      context.channel().config().setOption(ChannelOption.SO_LINGER, 0);
      dial.failed(SELF_CONNECTED);
      context.close();
    } else {
      isConnected = true;
      dial.connected();
      context.fireChannelActive();
    }
  }

  /**
   * Dialling a local port without a listener may self-connect: if the port is in the ephemeral
   * range, the kernel may choose it as the source port, which is TCP's simultaneous open with
   * itself (RFC 9293, section 3.5).
   */
  private static boolean isSelfConnected(Channel channel) {
    return channel.localAddress() instanceof InetSocketAddress local
        && local.equals(channel.remoteAddress());
  }

  /** Nothing that gRPC has written leaves the host unless the handshake succeeds. */
  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof SslHandshakeCompletionEvent done) {
      if (!done.isSuccess()) {
        dial.failed(TlsFailures.problemOf(done.cause()));
      } else if (!isHttp2Negotiated(context)) {
        dial.failed(TlsFailures.NO_HTTP2);
        context.close();
      }
    }
    context.fireUserEventTriggered(event);
  }

  private static boolean isHttp2Negotiated(ChannelHandlerContext context) {
    SslHandler tls = context.pipeline().get(SslHandler.class);
    return ApplicationProtocolNames.HTTP_2.equals(tls.applicationProtocol());
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (isProtocolKnown || !(message instanceof ByteBuf owned)) {
      context.fireChannelRead(message);
      return;
    }
    firstBytes = firstBytes.isReadable() ? Unpooled.wrappedBuffer(firstBytes, owned) : owned;
    if (firstBytes.readableBytes() >= FirstBytes.BYTES_NEEDED) {
      ByteBuf bytes = firstBytes;
      firstBytes = Unpooled.EMPTY_BUFFER;
      inspect(context, bytes);
    }
  }

  private void inspect(ChannelHandlerContext context, ByteBuf bytes) {
    isProtocolKnown = true;
    UpstreamProblem problem = FirstBytes.problemOf(bytes);
    if (problem == null) {
      dial.http2();
      context.fireChannelRead(bytes);
    } else {
      bytes.release();
      dial.failed(problem);
      context.close();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    if (isConnected && !isProtocolKnown) {
      UpstreamProblem broken = firstBytes.isReadable() ? FirstBytes.problemOf(firstBytes) : null;
      dial.failed(broken == null ? CLOSED : broken);
    }
    context.fireChannelInactive();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (isConnected && !isProtocolKnown && !firstBytes.isReadable()) {
      // With TLS 1.3, an upstream refuses the bridge's certificate after the handshake.
      boolean isTls = cause.getCause() instanceof SSLException;
      dial.failed(isTls ? TlsFailures.problemOf(cause) : RESET);
    }
    context.fireExceptionCaught(cause);
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext context) {
    ReferenceCountUtil.safeRelease(firstBytes);
    firstBytes = Unpooled.EMPTY_BUFFER;
  }
}
