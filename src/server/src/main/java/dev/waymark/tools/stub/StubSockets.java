package dev.waymark.tools.stub;

import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.Inet4Address;
import java.net.InetSocketAddress;
import java.nio.channels.spi.SelectorProvider;
import java.util.concurrent.TimeUnit;

/**
 * The server sockets of a stub. gRPC's own are dual-stack, so 0.0.0.0 would be served over IPv6
 * too; these use the family of their address. Thread-safe.
 */
final class StubSockets implements AutoCloseable {
  private static final long STOP_TIMEOUT_MS = 1_000;

  private final boolean isEpoll = Epoll.isAvailable();
  private final EventLoopGroup acceptLoop = loops("stub-accept", 1);
  private final EventLoopGroup loops = loops("stub", 0);

  private EventLoopGroup loops(String name, int threads) {
    IoHandlerFactory handlers = isEpoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    return new MultiThreadIoEventLoopGroup(threads, new DefaultThreadFactory(name, true), handlers);
  }

  /** Creates a builder for a server on this address. */
  NettyServerBuilder serverOn(InetSocketAddress address) {
    SocketProtocolFamily family =
        address.getAddress() instanceof Inet4Address
            ? SocketProtocolFamily.INET
            : SocketProtocolFamily.INET6;
    return NettyServerBuilder.forAddress(address)
        .bossEventLoopGroup(acceptLoop)
        .workerEventLoopGroup(loops)
        .channelFactory(() -> open(family));
  }

  private ServerChannel open(SocketProtocolFamily family) {
    return isEpoll
        ? new EpollServerSocketChannel(family)
        : new NioServerSocketChannel(SelectorProvider.provider(), family);
  }

  /** Ends the threads. The servers must have terminated before. */
  @Override
  public void close() {
    acceptLoop.shutdownGracefully(0, STOP_TIMEOUT_MS, TimeUnit.MILLISECONDS);
    loops.shutdownGracefully(0, STOP_TIMEOUT_MS, TimeUnit.MILLISECONDS);
  }
}
