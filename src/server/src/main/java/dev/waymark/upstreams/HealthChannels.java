package dev.waymark.upstreams;

import dev.waymark.net.dial.Dial;
import io.grpc.ManagedChannel;
import java.net.SocketAddress;
import java.time.Duration;

/** Opens the gRPC channels that carry health Watches. Called on the control thread. */
public interface HealthChannels {
  /**
   * Creates a channel to this address, not yet connected; the caller shuts it down.
   *
   * @param upstream the text of its address, as in {@link
   *     dev.waymark.engine.lane.UpstreamView#address()}
   * @param address resolved; {@link java.net.UnixDomainSocketAddress} for {@code unix:}
   * @param userTimeout a peer whose host acknowledges nothing for this long is dead; zero: the
   *     kernel decides
   * @param dial records how the connection attempt goes
   */
  ManagedChannel open(String upstream, SocketAddress address, Duration userTimeout, Dial dial);
}
