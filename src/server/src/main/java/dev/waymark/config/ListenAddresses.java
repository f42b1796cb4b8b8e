package dev.waymark.config;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.channels.ServerSocketChannel;
import java.util.Locale;
import java.util.function.BooleanSupplier;

/** Addresses to listen on: how they are written, and which exclude each other. Stateless. */
public final class ListenAddresses {
  private static final InetAddress IPV4_WILDCARD = InetAddress.ofLiteral("0.0.0.0");

  private ListenAddresses() {}

  /** Whether Java can use IPv6 on this host; many containers have it switched off. */
  static boolean hasIpv6() {
    try (var probe = ServerSocketChannel.open(StandardProtocolFamily.INET6)) {
      return probe.isOpen();
    } catch (UnsupportedOperationException | IOException none) {
      return false;
    }
  }

  /** The address to bind: on a host without IPv6, the IPv6 wildcard becomes that of IPv4. */
  static InetAddress bound(InetAddress address, BooleanSupplier hasIpv6) {
    return address instanceof Inet6Address && address.isAnyLocalAddress() && !hasIpv6.getAsBoolean()
        ? IPV4_WILDCARD
        : address;
  }

  /**
   * Whether only one of the two can be bound at a time: they share the port and the address, where
   * a wildcard covers all addresses of its family and the IPv6 wildcard those of IPv4 too. Port 0
   * excludes nothing.
   */
  public static boolean exclude(InetSocketAddress a, InetSocketAddress b) {
    return a.getPort() != 0
        && a.getPort() == b.getPort()
        && (a.getAddress().equals(b.getAddress())
            || covers(a.getAddress(), b.getAddress())
            || covers(b.getAddress(), a.getAddress()));
  }

  /**
   * Reads an address to listen on, in the form of the configuration: {@code HOST:PORT}, or {@code
   * :PORT} for every IPv4 address. A name is resolved, which may block.
   *
   * @param flag where the text stands, for the message
   * @throws ConfigException if there is no such address
   */
  public static InetSocketAddress parse(String flag, String text) {
    try {
      HostPort wanted = HostPort.listening().reader().read(text);
      InetSocketAddress address = new InetSocketAddress(wanted.host(), wanted.port());
      if (address.isUnresolved()) {
        throw new BadValueException("an address of this host, or a name that resolves to one");
      }
      return new InetSocketAddress(
          bound(address.getAddress(), ListenAddresses::hasIpv6), address.getPort());
    } catch (BadValueException bad) {
      throw new ConfigException(
          String.format(Locale.ROOT, "%s: %s (expected: %s)", flag, text, bad.expected()));
    }
  }

  private static boolean covers(InetAddress wildcard, InetAddress address) {
    return wildcard.isAnyLocalAddress()
        && (wildcard instanceof Inet6Address || address instanceof Inet4Address);
  }
}
