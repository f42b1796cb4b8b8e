package dev.waymark.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
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
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class SteadyEpollIT {
  private static final int BYTES = 300_000;

  private final AtomicInteger receivedBytes = new AtomicInteger();
  private final CompletableFuture<Integer> ended = new CompletableFuture<>();
  private final CompletableFuture<Channel> accepted = new CompletableFuture<>();

  @Test
  void fin_whileReadingIsPaused_losesNoBytes() throws Exception {
    assumeTrue(Epoll.isAvailable(), () -> String.valueOf(Epoll.unavailabilityCause()));
    try (var group = new MultiThreadIoEventLoopGroup(1, SteadyEpoll.newFactory())) {
      Channel server =
          new ServerBootstrap()
              .group(group)
              .channel(EpollServerSocketChannel.class)
              .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
              .childOption(ChannelOption.AUTO_READ, false)
              .childHandler(new Counting())
              .bind(InetAddress.getLoopbackAddress(), 0)
              .sync()
              .channel();
      try (Socket client = new Socket(InetAddress.getLoopbackAddress(), ((InetSocketAddress) server.localAddress()).getPort())) {
        client.getOutputStream().write(new byte[BYTES]);
        client.shutdownOutput();
        // The FIN is noticed, and with it something is read.
        await().until(() -> receivedBytes.get() > 0);
        Channel channel = accepted.get(5, TimeUnit.SECONDS);
        channel.eventLoop().execute(() -> channel.config().setAutoRead(true));
        assertThat(ended.get(5, TimeUnit.SECONDS)).isEqualTo(BYTES);
      }
    }
  }

  private final class Counting extends ChannelInboundHandlerAdapter {
    @Override
    public void channelActive(ChannelHandlerContext context) {
      accepted.complete(context.channel());
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ByteBuf bytes = (ByteBuf) message;
      receivedBytes.addAndGet(bytes.readableBytes());
      bytes.release();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
      if (event == ChannelInputShutdownEvent.INSTANCE) {
        ended.complete(receivedBytes.get());
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      ended.completeExceptionally(cause);
    }
  }
}
