package dev.waymark.net.lane;

import dev.waymark.engine.base.Limits;
import dev.waymark.engine.lane.Lane;
import dev.waymark.engine.lane.LaneTransport;
import dev.waymark.net.dial.Dial;
import dev.waymark.net.dial.Dialler;
import dev.waymark.net.dial.Pacer;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.protocol.SizeLimits;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import java.net.InetSocketAddress;
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
   * The HTTP/2 flow-control window; large enough for Attach's own windows to take effect first
   * (docs/decisions/0003).
   */
  private static final int HTTP2_WINDOW_BYTES = 4 * 1024 * 1024;

  /**
   * Learns whether upstreams have the Attach method. Called on the shard's thread, for every lane.
   */
  public interface Attempts {
    void onAccepted(String pool, String upstream);

    void onRefused(String pool, String upstream, UpstreamProblem problem);
  }

  /**
   * The settings that all lanes of a shard share.
   *
   * @param channelType for TCP
   * @param domainChannelType for Unix sockets
   * @param userTimeoutMs the channel type's TCP_USER_TIMEOUT; null if it has none
   * @param clockNs monotonic
   * @param bugs receives exceptions that are defects of the bridge
   * @param attempts learns whether lanes are accepted
   */
  public record Settings(
      EventLoop loop,
      Class<? extends Channel> channelType,
      Class<? extends Channel> domainChannelType,
      @Nullable ChannelOption<Integer> userTimeoutMs,
      Limits limits,
      LongSupplier clockNs,
      Consumer<Throwable> bugs,
      Attempts attempts) {}

  private final Settings settings;
  private final Dialler dialler;
  private final Pacer pacer;

  /** The channels not shut down yet. Modified only by the shard's thread. */
  private final Set<ManagedChannel> channels = ConcurrentHashMap.newKeySet();

  public LaneConnector(Settings settings) {
    this.settings = settings;
    this.dialler =
        new Dialler(settings.loop(), settings.channelType(), settings.domainChannelType());
    this.pacer = new Pacer(settings.loop());
  }

  /**
   * Starts the call. Its events go to the lane, but never during this method.
   *
   * @param address resolved; {@link UnixDomainSocketAddress} for Unix sockets
   * @param userTimeout TCP_USER_TIMEOUT; zero: the kernel's default
   */
  public LaneTransport connect(Lane lane, SocketAddress address, Duration userTimeout) {
    GrpcLane transport = new GrpcLane(lane, this, settings);
    pacer.later(() -> transport.start(address, userTimeout));
    return transport;
  }

  /**
   * Shuts down every channel, after the shard has stopped and before its loop ends. May be called
   * from any thread but the shard's; blocks.
   *
   * @param timeoutMs for each channel
   */
  public void close(long timeoutMs) throws InterruptedException {
    List<ManagedChannel> open = List.copyOf(channels);
    open.forEach(ManagedChannel::shutdownNow);
    for (ManagedChannel channel : open) {
      channel.awaitTermination(timeoutMs, TimeUnit.MILLISECONDS);
    }
  }

  // --- for its lanes ---

  /** Registers a channel until its call ends. */
  void opened(ManagedChannel channel) {
    channels.add(channel);
  }

  /** Shuts down a channel whose call has ended. */
  void close(ManagedChannel channel) {
    channel.shutdownNow();
    channels.remove(channel);
  }

  /**
   * Cancels a call: at once if it is established, otherwise through the pacer, as there may be
   * hundreds.
   */
  void end(ClientCall<?, ?> call, String cause, ManagedChannel channel, boolean isEstablished) {
    Runnable end =
        () -> {
          call.cancel(cause, null);
          close(channel);
        };
    if (isEstablished) {
      end.run();
    } else {
      pacer.later(end);
    }
  }

  /** Creates a channel with a lane's options. */
  ManagedChannel channel(String upstream, SocketAddress address, Duration userTimeout, Dial dial) {
    NettyChannelBuilder builder =
        dialler
            .channel(upstream, address, dial)
            .flowControlWindow(HTTP2_WINDOW_BYTES)
            .maxInboundMessageSize(SizeLimits.BATCH_BYTES_MAX);
    boolean isTcp = address instanceof InetSocketAddress;
    if (isTcp && settings.userTimeoutMs() != null && userTimeout.isPositive()) {
      builder.withOption(settings.userTimeoutMs(), (int) userTimeout.toMillis());
    }
    return builder.build();
  }
}
