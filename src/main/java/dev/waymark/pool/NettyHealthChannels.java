package dev.waymark.pool;

import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.ChannelOption;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.uring.IoUringChannelOption;
import io.netty.channel.uring.IoUringSocketChannel;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * Plaintext channels on the control thread itself: callbacks come on it, without a hand-over. No
 * gRPC keep-alive, since default servers refuse it; TCP's own options find a dead peer. Immutable.
 */
public final class NettyHealthChannels implements HealthChannels {
  private static final int CONNECT_TIMEOUT_MS = 5_000;

  /**
   * gRPC takes this as "never idle": a channel without calls stays connected, so that its state
   * tells of the transport.
   */
  private static final long NEVER_IDLE_DAYS = 365;

  private final ControlLoop control;
  private final int userTimeoutMs;

  /**
   * @param userTimeout TCP_USER_TIMEOUT; zero: the kernel's own; only native transports can set it
   */
  public NettyHealthChannels(ControlLoop control, Duration userTimeout) {
    this.control = control;
    this.userTimeoutMs = (int) Math.min(userTimeout.toMillis(), Integer.MAX_VALUE);
  }

  @Override
  public ManagedChannel open(SocketAddress address) {
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
      setUserTimeout(builder);
    } else {
      builder.overrideAuthority("localhost");
    }
    return builder.build();
  }

  private void setUserTimeout(NettyChannelBuilder builder) {
    if (userTimeoutMs == 0) {
      return;
    }
    if (EpollSocketChannel.class == control.socketChannelType()) {
      builder.withOption(EpollChannelOption.TCP_USER_TIMEOUT, userTimeoutMs);
    } else if (IoUringSocketChannel.class == control.socketChannelType()) {
      builder.withOption(IoUringChannelOption.TCP_USER_TIMEOUT, userTimeoutMs);
    }
  }
}
