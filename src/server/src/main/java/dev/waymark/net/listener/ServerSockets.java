package dev.waymark.net.listener;

import io.netty.channel.ServerChannel;
import java.net.InetAddress;

/** Opens listening sockets of one transport. Thread-safe. */
@FunctionalInterface
public interface ServerSockets {
  /**
   * Returns an unbound socket of this address's family: with an IPv4 address it never accepts IPv6
   * clients. With the IPv6 wildcard it accepts both.
   */
  ServerChannel open(InetAddress address);
}
