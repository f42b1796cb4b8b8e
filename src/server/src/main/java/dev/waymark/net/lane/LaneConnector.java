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
   * HTTP/2 flow-control window, so that it is Attach's own windows that hold back
   * (docs/decisions/0003).
   */
  private static final int HTTP2_WINDOW_BYTES = 4 * 1024 * 1024;

  /**
   * Hears whether upstreams have the Attach method. Called on the shard's thread, for every lane.
   */
  public interface Attempts {
    void onTaken(String pool, String upstream);

    void onRefused(String pool, String upstream, UpstreamProblem problem);
  }

  /**
   * What the lanes of a shard have in common.
   *
   * @param channelType for TCP
   * @param domainChannelType for unix sockets
   * @param userTimeoutMs the channel types' TCP_USER_TIMEOUT; null where they have none
   * @param clockNs monotonic
   * @param bugs told of exceptions that are defects of the bridge
   * @param attempts told how lanes are received
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

  /** Those that are not shut down; added to and removed from by the shard's thread. */
  private final Set<ManagedChannel> channels = ConcurrentHashMap.newKeySet();

  public LaneConnector(Settings settings) {
    this.settings = settings;
    this.dialler =
        new Dialler(settings.loop(), settings.channelType(), settings.domainChannelType());
    this.pacer = new Pacer(settings.loop());
  }

  /**
   * Starts the call; inputs go to the lane, none during this method.
   *
   * @param address resolved; {@link UnixDomainSocketAddress} for unix sockets
   * @param userTimeout TCP_USER_TIMEOUT; zero: the kernel's own
   */
  public LaneTransport connect(Lane lane, SocketAddress address, Duration userTimeout) {
    GrpcLane transport = new GrpcLane(lane, this, settings);
    pacer.later(() -> transport.start(address, userTimeout));
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

  // --- for its lanes ---

  /** It is open until its call ends. */
  void opened(ManagedChannel channel) {
    channels.add(channel);
  }

  /** Its call has ended. */
  void close(ManagedChannel channel) {
    channel.shutdownNow();
    channels.remove(channel);
  }

  /**
   * Cancels a call: at once if it is established, else a little later, as there may be hundreds.
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

  /** One with a lane's options. */
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
