package dev.waymark.config;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Locale;

/** Addresses to listen on: how they are written, and which exclude each other. No state. */
public final class ListenAddresses {
  private ListenAddresses() {}

  /**
   * Whether only one of the two can be bound at a time: they have the port in common and the
   * address too, where a wildcard stands for all addresses of its family, and the IPv6 wildcard for
   * those of IPv4 as well. Port 0 excludes nothing.
   */
  public static boolean exclude(InetSocketAddress a, InetSocketAddress b) {
    return a.getPort() != 0
        && a.getPort() == b.getPort()
        && (a.getAddress().equals(b.getAddress())
            || covers(a.getAddress(), b.getAddress())
            || covers(b.getAddress(), a.getAddress()));
  }

  /**
   * Reads an address to listen on, as the configuration has them: `HOST:PORT`, or `:PORT` for every
   * IPv4 address. A name is resolved, which may block.
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
      return address;
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
