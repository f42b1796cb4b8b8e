package dev.waymark.lane;

import dev.waymark.core.Lane;
import dev.waymark.core.LaneTransport;
import dev.waymark.core.Limits;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Opens the lanes of one shard. Confined to its shard's thread.
 *
 * <p>A lane's channel runs on the shard's event loop with a direct executor, so that a byte never
 * changes threads between the client's socket and the lane's (docs/decisions).
 */
public final class LaneConnector {
  /**
   * HTTP/2 flow-control window, so that it is Attach's own windows that hold back
   * (docs/decisions/0003).
   */
  private static final int HTTP2_WINDOW_BYTES = 4 * 1024 * 1024;

  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);

  /**
   * What the lanes of a shard have in common.
   *
   * @param channelType for TCP
   * @param domainChannelType for unix sockets
   * @param userTimeoutMs the channel types' TCP_USER_TIMEOUT; null where they have none
   * @param clockNs monotonic
   * @param bugs told of exceptions that are defects of the bridge
   */
  public record Settings(
      EventLoop loop,
      Class<? extends Channel> channelType,
      Class<? extends Channel> domainChannelType,
      @Nullable ChannelOption<Integer> userTimeoutMs,
      Limits limits,
      LongSupplier clockNs,
      Consumer<Throwable> bugs) {}

  private final Settings settings;

  /** Those that are not shut down; added to and removed from by the shard's thread. */
  private final Set<ManagedChannel> channels = ConcurrentHashMap.newKeySet();

  public LaneConnector(Settings settings) {
    this.settings = settings;
  }

  /**
   * Starts the call; inputs go to the lane, none during this method.
   *
   * @param address resolved; {@link UnixDomainSocketAddress} for unix sockets
   * @param userTimeout TCP_USER_TIMEOUT; zero: the kernel's own
   */
  public LaneTransport connect(Lane lane, SocketAddress address, Duration userTimeout) {
    ManagedChannel channel = channel(dialled(address), userTimeout);
    channels.add(channel);
    GrpcLane transport = new GrpcLane(lane, channel, settings, channels::remove);
    settings.loop().execute(transport::start);
    return transport;
  }

  /**
   * Shuts down every channel, when the shard has stopped and before its loop ends. Any thread but
   * the shard's; blocks.
   *
   * @param timeoutMs of waiting for each
   */
  public void close(long timeoutMs) throws InterruptedException {
    List<ManagedChannel> open = List.copyOf(channels);
    open.forEach(ManagedChannel::shutdownNow);
    for (ManagedChannel channel : open) {
      channel.awaitTermination(timeoutMs, TimeUnit.MILLISECONDS);
    }
  }

  /** The native transports have an address type of their own for unix sockets. */
  private SocketAddress dialled(SocketAddress address) {
    boolean isNativeDomain =
        settings.domainChannelType() != NioDomainSocketChannel.class
            && address instanceof UnixDomainSocketAddress;
    return isNativeDomain ? new DomainSocketAddress(address.toString()) : address;
  }

  /** One with a lane's options, which is not closed by {@link #close}. */
  ManagedChannel channel(SocketAddress address, Duration userTimeout) {
    boolean isDomain =
        address instanceof DomainSocketAddress || address instanceof UnixDomainSocketAddress;
    NettyChannelBuilder builder =
        NettyChannelBuilder.forAddress(address)
            .usePlaintext()
            .eventLoopGroup(settings.loop())
            .channelType(
                isDomain ? settings.domainChannelType() : settings.channelType(),
                address.getClass())
            .directExecutor()
            .offloadExecutor(settings.loop())
            .disableRetry()
            .flowControlWindow(HTTP2_WINDOW_BYTES)
            .maxInboundMessageSize(Limits.BATCH_BYTES_MAX)
            .withOption(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) CONNECT_TIMEOUT.toMillis());
    if (isDomain) {
      builder.overrideAuthority("localhost");
    } else if (settings.userTimeoutMs() != null && userTimeout.isPositive()) {
      builder.withOption(settings.userTimeoutMs(), (int) userTimeout.toMillis());
    }
    return builder.build();
  }
}
