package dev.waymark.net.lane;

import dev.waymark.engine.base.Limits;
import dev.waymark.engine.lane.Lane;
import dev.waymark.engine.lane.LaneTransport;
import dev.waymark.net.dial.Dialler;
import dev.waymark.net.dial.Pacer;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.tls.UpstreamTls;
import io.netty.channel.EventLoop;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Opens the lanes of one shard. Confined to its shard's thread.
 *
 * <p>A lane's connection runs on the shard's event loop, so that a byte never changes threads
 * between the client's socket and the lane's (docs/decisions).
 */
public final class LaneConnector {
  /**
   * Learns whether upstreams have the Attach method. Called on the shard's thread, for every lane.
   */
  public interface Attempts {
    void onAccepted(String pool, String upstream);

    void onRefused(String pool, String upstream, UpstreamProblem problem);
  }

  /** Finds the TLS of a pool. Called on the shard's thread, for every lane. */
  @FunctionalInterface
  public interface PoolTls {
    /** Null if the pool's upstreams are dialled in plain text. */
    @Nullable UpstreamTls ofPool(String pool);
  }

  /**
   * The settings that all lanes of a shard share.
   *
   * @param dialler on the shard's loop
   * @param userAgent the header of that name
   * @param clockNs monotonic
   * @param bugs receives exceptions that are defects of the bridge
   * @param attempts learns whether lanes are accepted
   * @param tls of the pools
   */
  public record Settings(
      Dialler dialler,
      String userAgent,
      Limits limits,
      LongSupplier clockNs,
      Consumer<Throwable> bugs,
      Attempts attempts,
      PoolTls tls) {
    EventLoop loop() {
      return dialler.loop();
    }
  }

  /** Between two lanes of a shard that are replaced for new TLS. */
  private static final long RENEWAL_INTERVAL_MS = 200;

  private final Settings settings;
  private final Pacer pacer;

  /** The channels that are not closed yet. */
  private final ChannelGroup channels;

  private final Set<GrpcLane> lanes = new HashSet<>();

  public LaneConnector(Settings settings) {
    this.settings = settings;
    this.pacer = new Pacer(settings.loop());
    this.channels = new DefaultChannelGroup(settings.loop());
  }

  /**
   * Starts the call. Its events go to the lane, but never during this method.
   *
   * @param address resolved; {@link UnixDomainSocketAddress} for Unix sockets
   * @param userTimeout TCP_USER_TIMEOUT; zero: the kernel's default
   */
  public LaneTransport connect(Lane lane, SocketAddress address, Duration userTimeout) {
    lanes.removeIf(GrpcLane::isEnded);
    GrpcLane transport = new GrpcLane(lane, address, settings);
    lanes.add(transport);
    pacer.later(() -> transport.start(userTimeout, channels));
    return transport;
  }

  /**
   * Replaces the lanes to a pool one after the other, because its TLS has changed: each by the
   * clean hand-over that follows a GOAWAY, so no client notices.
   */
  public void renew(String pool) {
    long afterMs = 0;
    for (GrpcLane transport : lanes) {
      if (transport.pool().equals(pool) && !transport.isEnded()) {
        settings.loop().schedule(transport::renew, afterMs, TimeUnit.MILLISECONDS);
        afterMs += RENEWAL_INTERVAL_MS;
      }
    }
  }

  /**
   * Closes every channel, after the shard has stopped and before its loop ends. May be called from
   * any thread but the shard's; blocks.
   *
   * @param timeoutMs for all channels together
   */
  public void close(long timeoutMs) throws InterruptedException {
    channels.close().await(timeoutMs, TimeUnit.MILLISECONDS);
  }
}
