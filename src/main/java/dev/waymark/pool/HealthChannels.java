package dev.waymark.pool;

import io.grpc.ManagedChannel;
import java.net.SocketAddress;

/** Opens the gRPC channels that carry health Watches. Called on the control thread. */
public interface HealthChannels {
  /**
   * A channel to this address, not yet connected; the caller shuts it down.
   *
   * @param address resolved; {@link java.net.UnixDomainSocketAddress} for `unix:`
   */
  ManagedChannel open(SocketAddress address);
}
