package dev.waymark.upstreams.names;

import dev.waymark.config.BadValueException;
import dev.waymark.config.HostPort;
import io.netty.util.NetUtil;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;

/**
 * The parsed address of an upstream: a socket address to dial, or a name that must be resolved
 * first. Immutable.
 */
public sealed interface UpstreamAddress {
  /** An address that can be dialled as it is. */
  record Literal(SocketAddress socketAddress) implements UpstreamAddress {}

  /** A host name and a port. */
  record Name(String host, int port) implements UpstreamAddress {}

  /**
   * An IPv6 address scoped to a network interface, which may come and go.
   *
   * @param zone the name of the interface (RFC 4007, section 11)
   */
  record Zoned(Inet6Address address, String zone, int port) implements UpstreamAddress {
    /**
     * Returns the address to dial, with the current index of the interface.
     *
     * @throws UnknownHostException if there is no such interface, with a message for the operator
     */
    InetSocketAddress resolve() throws UnknownHostException {
      try {
        NetworkInterface link = NetworkInterface.getByName(zone);
        if (link != null) {
          return withScope(address.getAddress(), link.getIndex(), port);
        }
      } catch (SocketException failure) {
        throw new UnknownHostException("cannot look up network interface '" + zone + "'");
      }
      throw new UnknownHostException("there is no network interface '" + zone + "' on this host");
    }
  }

  /** An address that can never be dialled. */
  record Refused(String reason) implements UpstreamAddress {}

  /** The prefix of the path of a Unix socket. */
  String UNIX_PREFIX = "unix:";

  /**
   * Parses {@code host:port}, {@code 1.2.3.4:port}, {@code [::1]:port}, {@code
   * [fe80::1%eth0]:port}, {@code unix:/path} and {@code unix:///path}.
   *
   * @throws IllegalArgumentException with a message that names the text and what is expected
   */
  static UpstreamAddress parse(String text) {
    if (text.startsWith(UNIX_PREFIX)) {
      String path = text.substring(UNIX_PREFIX.length());
      require(!path.isEmpty(), text);
      return new Literal(
          UnixDomainSocketAddress.of(path.startsWith("//") ? path.substring(2) : path));
    }
    HostPort address;
    try {
      address = HostPort.read(text, 1);
    } catch (BadValueException notAnAddress) {
      throw refused(text);
    }
    String host = address.host();
    int zone = host.indexOf('%');
    if (zone >= 0) {
      InetAddress ip = InetAddress.ofLiteral(host.substring(0, zone));
      require(ip instanceof Inet6Address, text);
      return zoned((Inet6Address) ip, host.substring(zone + 1), address.port());
    }
    return address.isIp()
        ? new Literal(new InetSocketAddress(InetAddress.ofLiteral(host), address.port()))
        : new Name(host, address.port());
  }

  private static UpstreamAddress zoned(Inet6Address ip, String zone, int port) {
    boolean isIndex = zone.length() < 10 && zone.chars().allMatch(c -> c >= '0' && c <= '9');
    return isIndex
        ? new Literal(withScope(ip.getAddress(), Integer.parseInt(zone), port))
        : new Zoned(ip, zone, port);
  }

  private static InetSocketAddress withScope(byte[] ip, int scope, int port) {
    try {
      return new InetSocketAddress(Inet6Address.getByAddress(null, ip, scope), port);
    } catch (UnknownHostException notSixteenBytes) {
      throw new IllegalStateException(notSixteenBytes);
    }
  }

  /**
   * Formats an address and port: {@code 10.0.0.7:4770}, {@code [::1]:4770}, {@code
   * [fe80::1%2]:4770}; never as a name.
   */
  static String format(InetAddress address, int port) {
    String text =
        NetUtil.toSocketAddressString(new InetSocketAddress(ofBytes(address.getAddress()), port));
    return scopeOf(address) == 0 ? text : text.replace("]", "%" + scopeOf(address) + "]");
  }

  private static int scopeOf(InetAddress address) {
    return address instanceof Inet6Address six ? six.getScopeId() : 0;
  }

  /** Returns an address without a host name, so that it prints as numbers. */
  private static InetAddress ofBytes(byte[] ip) {
    try {
      return InetAddress.getByAddress(ip);
    } catch (UnknownHostException notFourOrSixteenBytes) {
      throw new IllegalStateException(notFourOrSixteenBytes);
    }
  }

  private static void require(boolean holds, String text) {
    if (!holds) {
      throw refused(text);
    }
  }

  private static IllegalArgumentException refused(String text) {
    return new IllegalArgumentException(
        "'"
            + text
            + "' is not the address of an upstream: expected host:port, [ipv6]:port or unix:/path");
  }
}
