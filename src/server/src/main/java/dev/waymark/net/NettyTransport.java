package dev.waymark.net;

import dev.waymark.config.BridgeConfig.Transport;
import dev.waymark.config.ConfigException;
import dev.waymark.net.listener.ServerSockets;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.channel.uring.IoUring;
import io.netty.channel.uring.IoUringChannelOption;
import io.netty.channel.uring.IoUringDomainSocketChannel;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringIoHandlerConfig;
import io.netty.channel.uring.IoUringServerSocketChannel;
import io.netty.channel.uring.IoUringSocketChannel;
import io.netty.channel.uring.Ipv4ServerSocketChannel;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.channels.spi.SelectorProvider;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The Netty transport of the shards' sockets. Immutable.
 *
 * @param userTimeoutMs the transport's TCP_USER_TIMEOUT; null if it has none
 * @param fallbackReason why AUTO fell back to this transport; empty if it did not
 */
public record NettyTransport(
    String name,
    IoHandlerFactory ioHandlers,
    ServerSockets servers,
    Class<? extends Channel> clientType,
    Class<? extends Channel> domainType,
    @Nullable ChannelOption<Integer> userTimeoutMs,
    Optional<String> fallbackReason) {
  private static final int CAUSES_MAX = 10;

  /** Smaller rings overflow at 9,800 connections (docs/decisions/0012). */
  private static final int SUBMISSION_RING = 4_096;

  private static final int COMPLETION_QUEUE = 32_768;

  /**
   * Disables multishot accept: with it, the kernel keeps accepting after the listener has paused,
   * down to the last descriptor, and then fails in a loop. Netty reads the property once, when its
   * io_uring classes load; a value set by the user takes precedence.
   */
  private static final String MULTISHOT_ACCEPT = "io.netty.iouring.acceptMultiShotEnabled";

  /**
   * Returns the configured transport; AUTO takes the first that works on this host.
   *
   * @throws ConfigException if the configured transport does not work on this host
   */
  public static NettyTransport choose(Transport wanted) {
    System.getProperties().putIfAbsent(MULTISHOT_ACCEPT, "false");
    return switch (wanted) {
      case IO_URING -> require(IoUring.unavailabilityCause(), "io_uring", NettyTransport::ioUring);
      case EPOLL -> require(Epoll.unavailabilityCause(), "epoll", NettyTransport::epoll);
      case NIO -> nio(Optional.empty());
      case AUTO ->
          IoUring.isAvailable()
              ? ioUring()
              : Epoll.isAvailable()
                  ? epoll()
                  : nio(Optional.of(reason(Epoll.unavailabilityCause())));
    };
  }

  /** Creates the transport only if it is available: otherwise its classes do not load. */
  private static NettyTransport require(
      @Nullable Throwable missing, String name, Supplier<NettyTransport> transport) {
    if (missing != null) {
      throw new ConfigException(
          "transport: "
              + name
              + " does not work here ("
              + reason(missing)
              + "); use transport: auto");
    }
    return transport.get();
  }

  private static NettyTransport ioUring() {
    IoUringIoHandlerConfig rings =
        new IoUringIoHandlerConfig().setRingSize(SUBMISSION_RING).setCqSize(COMPLETION_QUEUE);
    return new NettyTransport(
        "io_uring",
        IoUringIoHandler.newFactory(rings),
        address ->
            isIpv4(address) ? new Ipv4ServerSocketChannel() : new IoUringServerSocketChannel(),
        IoUringSocketChannel.class,
        IoUringDomainSocketChannel.class,
        IoUringChannelOption.TCP_USER_TIMEOUT,
        Optional.empty());
  }

  private static NettyTransport epoll() {
    return new NettyTransport(
        "epoll",
        EpollEmptyInterestFix.newFactory(),
        address -> new EpollServerSocketChannel(familyOf(address)),
        EpollSocketChannel.class,
        EpollDomainSocketChannel.class,
        EpollChannelOption.TCP_USER_TIMEOUT,
        Optional.empty());
  }

  /** Returns the innermost cause: the outer ones only say that a library was not loaded. */
  private static String reason(@Nullable Throwable missing) {
    if (missing == null) {
      return "unknown";
    }
    Throwable innermost = missing;
    for (int depth = 0; innermost.getCause() != null && depth < CAUSES_MAX; depth++) {
      innermost = innermost.getCause();
    }
    return String.valueOf(innermost.getMessage());
  }

  private static NettyTransport nio(Optional<String> fallbackReason) {
    return new NettyTransport(
        "nio",
        NioIoHandler.newFactory(),
        address -> new NioServerSocketChannel(SelectorProvider.provider(), familyOf(address)),
        NioSocketChannel.class,
        NioDomainSocketChannel.class,
        null,
        fallbackReason);
  }

  private static boolean isIpv4(InetAddress address) {
    return address instanceof Inet4Address;
  }

  private static SocketProtocolFamily familyOf(InetAddress address) {
    return isIpv4(address) ? SocketProtocolFamily.INET : SocketProtocolFamily.INET6;
  }
}
