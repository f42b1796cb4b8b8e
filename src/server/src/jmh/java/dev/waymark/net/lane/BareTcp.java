package dev.waymark.net.lane;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.uring.IoUringSocketChannel;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.net.InetAddress;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The part of {@link BareGrpc}'s cost that is not gRPC: sockets on the same loop, and a byte echo
 * on as many epoll loops as Netty uses by default.
 */
final class BareTcp {
  private final EventLoop loop;
  private final EventLoopGroup serverLoops =
      new MultiThreadIoEventLoopGroup(EpollIoHandler.newFactory());
  private final List<SocketAddress> addresses = new ArrayList<>();

  BareTcp(EventLoop loop, int ports) {
    this.loop = loop;
    ServerBootstrap server =
        new ServerBootstrap()
            .group(serverLoops)
            .channel(EpollServerSocketChannel.class)
            .childHandler(new Echo());
    for (int i = 0; i < ports; i++) {
      addresses.add(
          server
              .bind(InetAddress.getLoopbackAddress(), 0)
              .syncUninterruptibly()
              .channel()
              .localAddress());
    }
  }

  /** Opens sockets, at most one per port, with one message in flight on each. */
  BareFlow open(int sockets, int bytes) {
    Sockets flow = new Sockets(bytes);
    Bootstrap client = new Bootstrap().group(loop).channel(IoUringSocketChannel.class);
    for (SocketAddress address : addresses.subList(0, sockets)) {
      flow.channels.add(
          client
              .clone()
              .handler(new EchoClient(flow))
              .connect(address)
              .syncUninterruptibly()
              .channel());
    }
    return flow;
  }

  void close() {
    serverLoops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
  }

  @ChannelHandler.Sharable
  private static final class Echo extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext context, Object bytes) {
      context.write(bytes, context.voidPromise());
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
      context.flush();
    }
  }

  /** All sockets of a flow. Confined to the loop, except for the methods of {@link BareFlow}. */
  private static final class Sockets implements BareFlow {
    final EchoCount count = new EchoCount();
    final ChannelGroup channels = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    final ByteBuf message;

    Sockets(int bytes) {
      this.message = Unpooled.directBuffer(bytes).writeZero(bytes);
    }

    @Override
    public EchoCount count() {
      return count;
    }

    @Override
    public void close() {
      count.end();
      channels.newCloseFuture().syncUninterruptibly();
      message.release();
    }
  }

  /**
   * A socket that sends the message again once it has come back completely. Confined to the loop.
   */
  private static final class EchoClient extends ChannelInboundHandlerAdapter {
    private final Sockets flow;
    private int missingBytes;

    EchoClient(Sockets flow) {
      this.flow = flow;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
      send(context);
    }

    /** Closes only when nothing is in flight, so that the other end sees no reset. */
    private void sendOrClose(ChannelHandlerContext context) {
      if (flow.count.isEnding()) {
        context.close();
      } else {
        send(context);
      }
    }

    private void send(ChannelHandlerContext context) {
      missingBytes = flow.message.readableBytes();
      context.writeAndFlush(flow.message.retainedDuplicate(), context.voidPromise());
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object read) {
      ByteBuf bytes = (ByteBuf) read;
      missingBytes -= bytes.readableBytes();
      bytes.release();
      if (missingBytes == 0) {
        flow.count.onEcho();
        sendOrClose(context);
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      flow.count.onFailure(new IllegalStateException("a socket was closed"));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      flow.count.onFailure(cause);
      context.close();
    }
  }
}
