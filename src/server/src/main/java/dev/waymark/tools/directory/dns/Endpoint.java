package dev.waymark.tools.directory.dns;

import io.netty.util.NetUtil;
import org.jspecify.annotations.Nullable;

/**
 * Where an instance serves: an IP address or the name of a host, and a port. Immutable; not equal
 * to another with the same values.
 */
final class Endpoint {
  private static final int PORT_MAX = 0xffff;

  private final String host;
  private final byte @Nullable [] ip;
  private final int port;

  private Endpoint(String host, byte @Nullable [] ip, int port) {
    this.host = host;
    this.ip = ip;
    this.port = port;
  }

  /**
   * Reads the address of an instance.
   *
   * @return null if DNS cannot say it: a unix socket, or an IPv6 address that means something only
   *     on its own link
   */
  static @Nullable Endpoint read(String address) {
    int colon = address.lastIndexOf(':');
    int port = port(address.substring(colon + 1));
    if (colon <= 0 || port <= 0) {
      return null;
    }
    String host = address.substring(0, colon);
    boolean isIpv6 = host.startsWith("[") && host.endsWith("]");
    String literal = isIpv6 ? host.substring(1, host.length() - 1) : host;
    byte[] ip =
        literal.indexOf('%') < 0 ? NetUtil.createByteArrayFromIpAddressString(literal) : null;
    return ip == null && Names.encode(host) == null ? null : new Endpoint(host, ip, port);
  }

  /** Returns 0 if it is none. */
  private static int port(String text) {
    boolean isNumber =
        !text.isEmpty() && text.length() <= 5 && text.chars().allMatch(c -> c >= '0' && c <= '9');
    int port = isNumber ? Integer.parseInt(text) : 0;
    return port <= PORT_MAX ? port : 0;
  }

  /** A name if there is no {@link #ip}. */
  String host() {
    return host;
  }

  /** 4 or 16 bytes; null if the host has a name. */
  byte @Nullable [] ip() {
    return ip;
  }

  /** 1 to 65535. */
  int port() {
    return port;
  }
}
