package dev.waymark.upstreams;

import dev.waymark.net.dial.Dial;
import dev.waymark.net.dial.Dialler;
import dev.waymark.net.tls.UpstreamTls;
import dev.waymark.upstreams.control.ControlLoop;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Opens channels on the control thread itself, so that callbacks need no thread hop. Does not use
 * gRPC keep-alive, which servers refuse by default; TCP keep-alive detects a dead peer. Immutable.
 */
public final class NettyHealthChannels implements HealthChannels {
  /**
   * gRPC treats this as "never idle": a channel without calls stays connected, so that its state
   * shows whether the transport is up.
   */
  private static final long NEVER_IDLE_DAYS = 365;

  private final Dialler dialler;
  private final Supplier<@Nullable UpstreamTls> tls;

  /**
   * @param tls of the pool; null for plain text
   */
  public NettyHealthChannels(ControlLoop control, Supplier<@Nullable UpstreamTls> tls) {
    this.tls = tls;
    this.dialler =
        new Dialler(
            control.eventLoop(), control.socketChannelType(), control.domainChannelType(), null);
  }

  @Override
  public ManagedChannel open(
      String upstream, SocketAddress address, Duration userTimeout, Dial dial) {
    NettyChannelBuilder builder =
        dialler
            .channel(upstream, address, tls.get(), dial)
            .idleTimeout(NEVER_IDLE_DAYS, TimeUnit.DAYS);
    if (address instanceof InetSocketAddress) {
      // A Watch may be silent for hours.
      dialler.detectDeadPeer(builder, userTimeout);
    }
    return builder.build();
  }
}
