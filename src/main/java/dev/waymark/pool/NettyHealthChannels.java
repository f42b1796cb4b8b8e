package dev.waymark.pool;

import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.nio.NioChannelOption;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import jdk.net.ExtendedSocketOptions;

/**
 * Plaintext channels on the control thread itself: callbacks come on it, without a hand-over. No
 * gRPC keep-alive, since default servers refuse it; TCP's own probes find a dead peer. Immutable.
 */
public final class NettyHealthChannels implements HealthChannels {
  private static final int CONNECT_TIMEOUT_MS = 5_000;

  /**
   * gRPC takes this as "never idle": a channel without calls stays connected, so that its state
   * tells of the transport.
   */
  private static final long NEVER_IDLE_DAYS = 365;

  /**
   * After a first silence as long as their interval, so many find nothing before a peer is dead.
   */
  private static final int PROBES = 3;

  /** The kernel takes no longer one. */
  private static final int PROBE_INTERVAL_S_MAX = 32_767;

  private final ControlLoop control;

  public NettyHealthChannels(ControlLoop control) {
    this.control = control;
  }

  @Override
  public ManagedChannel open(SocketAddress address, Duration userTimeout) {
    boolean isTcp = address instanceof InetSocketAddress;
    var type = isTcp ? control.socketChannelType() : control.domainChannelType();
    SocketAddress dialled = isTcp ? address : UpstreamAddress.forChannelType(address, type);
    NettyChannelBuilder builder =
        NettyChannelBuilder.forAddress(dialled)
            .usePlaintext()
            .eventLoopGroup(control.eventLoop())
            .channelType(type, dialled.getClass())
            .directExecutor()
            .disableRetry()
            .idleTimeout(NEVER_IDLE_DAYS, TimeUnit.DAYS)
            .withOption(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MS);
    if (isTcp) {
      setUserTimeout(builder, userTimeout);
    } else {
      builder.overrideAuthority("localhost");
    }
    return builder.build();
  }

  /**
   * Nothing is sent on a Watch for hours, so TCP's own probes have to find that the peer is dead.
   */
  private void setUserTimeout(NettyChannelBuilder builder, Duration userTimeout) {
    if (userTimeout.isZero() || control.socketChannelType() != NioSocketChannel.class) {
      return;
    }
    int intervalS = Math.clamp(userTimeout.toSeconds() / (PROBES + 1), 1, PROBE_INTERVAL_S_MAX);
    builder
        .withOption(ChannelOption.SO_KEEPALIVE, true)
        .withOption(NioChannelOption.of(ExtendedSocketOptions.TCP_KEEPIDLE), intervalS)
        .withOption(NioChannelOption.of(ExtendedSocketOptions.TCP_KEEPINTERVAL), intervalS)
        .withOption(NioChannelOption.of(ExtendedSocketOptions.TCP_KEEPCOUNT), PROBES);
  }
}
