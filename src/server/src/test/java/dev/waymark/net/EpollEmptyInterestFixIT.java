package dev.waymark.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class EpollEmptyInterestFixIT {
  /** More than the socket buffers hold, so that the rest waits until the client reads. */
  private static final int REPLY_BYTES = 32 << 20;

  private final CompletableFuture<Channel> halfClosed = new CompletableFuture<>();

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void reply_afterTheClientsFin_arrivesCompletely(boolean isReading) throws Exception {
    assumeTrue(Epoll.isAvailable(), () -> String.valueOf(Epoll.unavailabilityCause()));
    try (var group = new MultiThreadIoEventLoopGroup(1, EpollEmptyInterestFix.newFactory())) {
      Channel server =
          new ServerBootstrap()
              .group(group)
              .channel(EpollServerSocketChannel.class)
              .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
              .childOption(ChannelOption.AUTO_READ, isReading)
              .childHandler(new HalfCloseWatcher())
              .bind(InetAddress.getLoopbackAddress(), 0)
              .sync()
              .channel();
      try (Socket client =
          new Socket(
              InetAddress.getLoopbackAddress(),
              ((InetSocketAddress) server.localAddress()).getPort())) {
        client.getOutputStream().write(1);
        client.shutdownOutput();
        Channel accepted = halfClosed.get(5, TimeUnit.SECONDS);

        ChannelFuture written =
            accepted.writeAndFlush(Unpooled.buffer(REPLY_BYTES).writeZero(REPLY_BYTES));

        assertThat(client.getInputStream().readNBytes(REPLY_BYTES)).hasSize(REPLY_BYTES);
        assertThat(written.await(5, TimeUnit.SECONDS)).isTrue();
        assertThat(written.cause()).isNull();
      }
    }
  }

  private final class HalfCloseWatcher extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ((ByteBuf) message).release();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
      if (event == ChannelInputShutdownEvent.INSTANCE) {
        halfClosed.complete(context.channel());
      }
    }
  }
}
