package dev.waymark.net.listener;

import io.netty.channel.ServerChannel;
import java.net.InetAddress;

/** Opens listening sockets of one transport. Thread-safe. */
@FunctionalInterface
public interface ServerSockets {
  /**
   * A socket of the family of this address, not bound yet: one for an IPv4 address never accepts
   * IPv6 clients. One for the IPv6 wildcard accepts both.
   */
  ServerChannel open(InetAddress address);
}
