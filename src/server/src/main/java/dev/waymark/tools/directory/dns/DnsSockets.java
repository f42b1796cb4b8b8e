package dev.waymark.tools.directory.dns;

import dev.waymark.protocol.Check;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.IoEventLoop;
import io.netty.channel.ServerChannel;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.epoll.EpollIoHandle;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandle;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.channels.spi.SelectorProvider;

/** Sockets for an event loop, of the transport that it has. Stateless. */
final class DnsSockets {
  /** The longest query over UDP; those of resolvers have less than 500 bytes. */
  static final int QUERY_BYTES_MAX = 2_048;

  /** How many queries are read in one call to the kernel, where it can. */
  private static final int QUERIES_PER_READ = 16;

  /** As much as the kernel grants, for bursts. */
  private static final int RECEIVE_BUFFER_BYTES = 1 << 20;

  /** While more bytes of answers wait for the socket, queries are ignored. */
  private static final WriteBufferWaterMark ANSWERS_WAITING =
      new WriteBufferWaterMark(512 * 1024, 1024 * 1024);

  private DnsSockets() {}

  /** For UDP; binds to addresses of the family of this one. */
  static Bootstrap datagrams(EventLoop loop, InetAddress address) {
    SocketProtocolFamily family = family(address);
    boolean isEpoll = isEpoll(loop);
    ChannelFactory<DatagramChannel> channels =
        isEpoll ? () -> new EpollDatagramChannel(family) : () -> new NioDatagramChannel(family);
    Bootstrap bootstrap =
        new Bootstrap()
            .group(loop)
            .channelFactory(channels)
            .option(ChannelOption.WRITE_BUFFER_WATER_MARK, ANSWERS_WAITING)
            .option(ChannelOption.SO_RCVBUF, RECEIVE_BUFFER_BYTES);
    int readBytes = isEpoll ? QUERY_BYTES_MAX * QUERIES_PER_READ : QUERY_BYTES_MAX;
    bootstrap.option(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(readBytes));
    return isEpoll
        ? bootstrap.option(EpollChannelOption.MAX_DATAGRAM_PAYLOAD_SIZE, QUERY_BYTES_MAX)
        : bootstrap;
  }

  /** For TCP, likewise. */
  static ServerBootstrap connections(EventLoop loop, InetAddress address) {
    SocketProtocolFamily family = family(address);
    ChannelFactory<ServerChannel> channels =
        isEpoll(loop)
            ? () -> new EpollServerSocketChannel(family)
            : () -> new NioServerSocketChannel(SelectorProvider.provider(), family);
    return new ServerBootstrap()
        .group(loop)
        .channelFactory(channels)
        .option(ChannelOption.SO_REUSEADDR, true)
        .childOption(ChannelOption.TCP_NODELAY, true);
  }

  private static boolean isEpoll(EventLoop loop) {
    if (loop instanceof IoEventLoop io && io.isCompatible(EpollIoHandle.class)) {
      return true;
    }
    Check.that(
        loop instanceof IoEventLoop nio && nio.isCompatible(NioIoHandle.class),
        "the event loop uses epoll or NIO");
    return false;
  }

  private static SocketProtocolFamily family(InetAddress address) {
    return address instanceof Inet4Address ? SocketProtocolFamily.INET : SocketProtocolFamily.INET6;
  }
}
