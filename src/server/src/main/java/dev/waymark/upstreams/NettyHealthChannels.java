package dev.waymark.upstreams;

import dev.waymark.net.dial.Dial;
import dev.waymark.net.dial.Dialler;
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
  private final Dialler dialler;

  public NettyHealthChannels(ControlLoop control) {
    this.control = control;
    this.dialler =
        new Dialler(control.eventLoop(), control.socketChannelType(), control.domainChannelType());
  }

  @Override
  public ManagedChannel open(
      String upstream, SocketAddress address, Duration userTimeout, Dial dial) {
    NettyChannelBuilder builder =
        dialler.channel(upstream, address, dial).idleTimeout(NEVER_IDLE_DAYS, TimeUnit.DAYS);
    if (address instanceof InetSocketAddress) {
      setUserTimeout(builder, userTimeout);
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
