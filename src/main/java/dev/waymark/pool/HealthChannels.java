package dev.waymark.pool;

import io.grpc.ManagedChannel;
import java.net.SocketAddress;
import java.time.Duration;

/** Opens the gRPC channels that carry health Watches. Called on the control thread. */
public interface HealthChannels {
  /**
   * A channel to this address, not yet connected; the caller shuts it down.
   *
   * @param address resolved; {@link java.net.UnixDomainSocketAddress} for `unix:`
   * @param userTimeout a peer whose host acknowledges nothing for so long is dead; zero: the kernel
   *     decides
   */
  ManagedChannel open(SocketAddress address, Duration userTimeout);
}
