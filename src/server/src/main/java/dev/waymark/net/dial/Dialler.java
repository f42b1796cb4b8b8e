package dev.waymark.net.dial;

import dev.waymark.net.tls.UpstreamTls;
import dev.waymark.protocol.http2.PeerGuard;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.ReflectiveChannelFactory;
import io.netty.channel.socket.nio.NioChannelOption;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import jdk.net.ExtendedSocketOptions;
import org.jspecify.annotations.Nullable;

/**
 * Dials upstreams from one event loop, with or without TLS. Immutable.
 *
 * @param loop runs the channels and their handlers
 * @param socketType for TCP
 * @param domainType for Unix sockets
 * @param userTimeoutMs the socket type's TCP_USER_TIMEOUT; null if it has none
 */
public record Dialler(
    EventLoop loop,
    Class<? extends Channel> socketType,
    Class<? extends Channel> domainType,
    @Nullable ChannelOption<Integer> userTimeoutMs) {
  private static final int CONNECT_TIMEOUT_MS = 5_000;

  /**
   * The unanswered probes after which a peer is dead; the first follows one interval of silence.
   */
  private static final int PROBES = 3;

  /** The longest interval that the kernel accepts. */
  private static final int PROBE_INTERVAL_S_MAX = 32_767;

  /** The authority for peers without a host name (RFC 9110, section 7.2). */
  private static final String UNIX_AUTHORITY = "localhost";

  /**
   * The address passed to gRPC for every Unix socket: gRPC turns the path into a URI, and refuses
   * non-ASCII characters.
   */
  private static final UnixDomainSocketAddress UNIX_TARGET =
      UnixDomainSocketAddress.of("/upstream");

  /**
   * Dials this address.
   *
   * @param upstream as configured or discovered
   * @param address resolved; {@link UnixDomainSocketAddress} for Unix sockets
   * @param userTimeout TCP_USER_TIMEOUT; zero: the kernel's default
   * @param tls null for plain text
   * @param dial records how the connection attempt goes
   * @param http2 the handler that speaks HTTP/2 with the upstream
   * @return completed on the loop, or on another thread if there is no channel
   */
  public ChannelFuture dial(
      String upstream,
      SocketAddress address,
      Duration userTimeout,
      @Nullable UpstreamTls tls,
      Dial dial,
      ChannelHandler http2) {
    Class<? extends Channel> type = typeOf(address);
    SocketAddress dialled = forChannelType(address, type);
    Bootstrap bootstrap =
        new Bootstrap()
            .group(loop)
            .channel(type)
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MS)
            .handler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    addGuards(channel, upstream, dialled, tls, dial);
                    channel.pipeline().addLast(http2);
                  }
                });
    if (isTcp(address)) {
      bootstrap.option(ChannelOption.SO_KEEPALIVE, true);
    }
    if (isTcp(address) && userTimeoutMs != null && userTimeout.isPositive()) {
      bootstrap.option(userTimeoutMs, (int) userTimeout.toMillis());
    }
    return bootstrap.connect(dialled);
  }

  /**
   * Returns the builder of a gRPC channel to this address.
   *
   * @param upstream as configured or discovered
   * @param address resolved; {@link UnixDomainSocketAddress} for Unix sockets
   * @param tls null for plain text
   * @param dial records how the connection attempt goes
   */
  public NettyChannelBuilder channel(
      String upstream, SocketAddress address, @Nullable UpstreamTls tls, Dial dial) {
    Class<? extends Channel> type = typeOf(address);
    SocketAddress dialled =
        address instanceof InetSocketAddress inet ? numeric(inet) : forChannelType(address, type);
    ReflectiveChannelFactory<? extends Channel> channels = new ReflectiveChannelFactory<>(type);
    ChannelFactory<Channel> guarded =
        () -> {
          Channel channel = channels.newChannel();
          try {
            addGuards(channel, upstream, dialled, tls, dial);
          } catch (RuntimeException failed) {
            channel.unsafe().closeForcibly();
            throw failed;
          }
          return channel;
        };
    return NettyChannelBuilder.forAddress(
            isTcp(address) ? dialled : forChannelType(UNIX_TARGET, type))
        .overrideAuthority(authority(upstream, address))
        .usePlaintext()
        .eventLoopGroup(loop)
        .channelFactory(guarded, dialled.getClass())
        .directExecutor()
        .offloadExecutor(loop)
        .disableRetry()
        .withOption(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MS);
  }

  /**
   * Has TCP keep-alive end the channel's connection when its peer has been dead for about this
   * long: gRPC's own keep-alive is refused by many servers. Only for NIO's TCP sockets; no effect
   * on others.
   *
   * @param after zero: never
   */
  public void detectDeadPeer(NettyChannelBuilder builder, Duration after) {
    if (after.isZero() || socketType != NioSocketChannel.class) {
      return;
    }
    int intervalS = Math.clamp(after.toSeconds() / (PROBES + 1), 1, PROBE_INTERVAL_S_MAX);
    builder
        .withOption(ChannelOption.SO_KEEPALIVE, true)
        .withOption(NioChannelOption.of(ExtendedSocketOptions.TCP_KEEPIDLE), intervalS)
        .withOption(NioChannelOption.of(ExtendedSocketOptions.TCP_KEEPINTERVAL), intervalS)
        .withOption(NioChannelOption.of(ExtendedSocketOptions.TCP_KEEPCOUNT), PROBES);
  }

  /**
   * Returns the {@code :authority} of an upstream: its name without an IPv6 zone, which means
   * nothing to other hosts (RFC 6874, section 4).
   *
   * @param upstream as configured or discovered
   * @param address resolved
   */
  public static String authority(String upstream, SocketAddress address) {
    if (!isTcp(address)) {
      return UNIX_AUTHORITY;
    }
    int zone = upstream.indexOf('%');
    return zone < 0
        ? upstream
        : upstream.substring(0, zone) + upstream.substring(upstream.indexOf(']', zone));
  }

  /**
   * The handler that speaks TLS comes first, so that all others, gRPC's included, see plain text.
   */
  private static void addGuards(
      Channel channel,
      String upstream,
      SocketAddress dialled,
      @Nullable UpstreamTls tls,
      Dial dial) {
    if (tls != null) {
      channel.pipeline().addLast(tls.newHandler(upstream, channel.alloc()));
    }
    channel
        .pipeline()
        .addLast(new DialGuard(dialled, dial), PeerGuard.forDialled(dial::flooded, dial::leaving));
  }

  private Class<? extends Channel> typeOf(SocketAddress address) {
    return isTcp(address) ? socketType : domainType;
  }

  private static boolean isTcp(SocketAddress address) {
    return address instanceof InetSocketAddress;
  }

  /**
   * Strips the host name. gRPC would derive an authority from it before applying ours, and refuses
   * names that it considers invalid; names with an underscore are common in container networks.
   */
  private static InetSocketAddress numeric(InetSocketAddress address) {
    InetAddress ip = address.getAddress();
    try {
      InetAddress numeric =
          ip instanceof Inet6Address six && six.getScopeId() != 0
              ? Inet6Address.getByAddress(null, six.getAddress(), six.getScopeId())
              : InetAddress.getByAddress(ip.getAddress());
      return new InetSocketAddress(numeric, address.getPort());
    } catch (UnknownHostException notFourOrSixteenBytes) {
      throw new IllegalStateException(notFourOrSixteenBytes);
    }
  }

  /**
   * Returns the address in the class that this channel type requires: for Unix sockets, Netty's
   * native transports use Netty's class, and NIO uses Java's.
   */
  static SocketAddress forChannelType(SocketAddress address, Class<? extends Channel> channelType) {
    return address instanceof UnixDomainSocketAddress unix
            && channelType != NioDomainSocketChannel.class
        ? new DomainSocketAddress(unix.getPath().toString())
        : address;
  }
}
