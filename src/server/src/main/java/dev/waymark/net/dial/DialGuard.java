package dev.waymark.net.dial;

import dev.waymark.net.dial.UpstreamProblem.Kind;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPromise;
import io.netty.util.ReferenceCountUtil;
import java.net.InetSocketAddress;
import java.net.SocketAddress;

/**
 * The first handler of a dialled channel: sees how the connect ends and what the peer's first bytes
 * are, before gRPC does. Once they are HTTP/2 it only passes on. Confined to the channel's event
 * loop.
 */
final class DialGuard extends ChannelDuplexHandler {
  private static final UpstreamProblem MET_ITSELF =
      new UpstreamProblem(
          Kind.CONNECTION_REFUSED,
          "connection refused: nothing listens there, and the connection met itself");
  private static final UpstreamProblem CLOSED =
      new UpstreamProblem(
          Kind.CLOSES_AT_ONCE, "accepts the connection and closes it without a byte");

  private static final UpstreamProblem RESET =
      new UpstreamProblem(
          Kind.CLOSES_AT_ONCE, "accepts the connection and resets it without a byte");

  private final SocketAddress address;
  private final Dial dial;

  /** What came, as long as it is too short to tell what it is. */
  private ByteBuf first = Unpooled.EMPTY_BUFFER;

  private boolean isKnown;
  private boolean isConnected;

  /**
   * @param address is dialled, whatever address gRPC gives
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
   * gRPC forgets a channel whose connect failed, and on io_uring its descriptor stays open
   * (docs/decisions/0024). Not through the whole pipeline: closed, it would hide the cause from
   * gRPC.
   */
  private static void close(ChannelHandlerContext context) {
    if (!context.executor().isShutdown()) {
      context.close();
    }
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    if (isSelfConnected(context.channel())) {
      // A reset: the port must not be left in TIME-WAIT, where no server could bind it.
      context.channel().config().setOption(ChannelOption.SO_LINGER, 0);
      dial.failed(MET_ITSELF);
      context.close();
    } else {
      isConnected = true;
      dial.connected();
      context.fireChannelActive();
    }
  }

  /**
   * Where nobody listens on a local port from which the kernel also takes ports for connections, it
   * may take that very port: TCP's simultaneous open with itself (RFC 9293, section 3.5).
   */
  private static boolean isSelfConnected(Channel channel) {
    return channel.localAddress() instanceof InetSocketAddress local
        && local.equals(channel.remoteAddress());
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (isKnown || !(message instanceof ByteBuf owned)) {
      context.fireChannelRead(message);
      return;
    }
    first = first.isReadable() ? Unpooled.wrappedBuffer(first, owned) : owned;
    if (first.readableBytes() >= FirstBytes.ENOUGH_BYTES) {
      ByteBuf bytes = first;
      first = Unpooled.EMPTY_BUFFER;
      judge(context, bytes);
    }
  }

  private void judge(ChannelHandlerContext context, ByteBuf bytes) {
    isKnown = true;
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
    if (isConnected && !isKnown) {
      UpstreamProblem broken = first.isReadable() ? FirstBytes.problemOf(first) : null;
      dial.failed(broken == null ? CLOSED : broken);
    }
    context.fireChannelInactive();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (isConnected && !isKnown && !first.isReadable()) {
      dial.failed(RESET);
    }
    context.fireExceptionCaught(cause);
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext context) {
    ReferenceCountUtil.safeRelease(first);
    first = Unpooled.EMPTY_BUFFER;
  }
}
