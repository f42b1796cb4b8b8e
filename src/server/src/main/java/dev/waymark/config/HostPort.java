package dev.waymark.config;

import java.net.InetAddress;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * {@code host:port}, read but not resolved. Immutable.
 *
 * @param host a name or an address, IPv6 without brackets
 */
public record HostPort(String host, int port) {
  private static final int PORT_MAX = 65_535;
  private static final int HOST_CHARS_MAX = 253;

  /**
   * Labels of 1 to 63 characters (RFC 1035, section 2.3.4), with the underscore that container
   * networks use. The last one has a letter: without one it is a mistyped IPv4 address.
   */
  private static final Pattern NAME =
      Pattern.compile(
          "([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\\.)*"
              + "(?=[A-Za-z0-9_-]*[A-Za-z_])[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\\.?");

  private static final Pattern IPV4 = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}");
  private static final Pattern IPV6 =
      Pattern.compile("[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9._-]+)?");
  private static final String EXPECTED = "HOST:PORT, such as 127.0.0.1:7000 or [::1]:7000";

  /** Where a server listens: port 0 is any free port, {@code :7000} every IPv4 address. */
  static ValueType<HostPort> listening() {
    return ValueType.form(
        EXPECTED,
        "^.*:[0-9]{1,5}$",
        text -> read(text.startsWith(":") ? "0.0.0.0" + text : text, 0));
  }

  /**
   * Where a peer is found: port 1 to 65535.
   *
   * @throws BadValueException naming what is expected
   */
  public static HostPort dialled(String text) throws BadValueException {
    HostPort dialled = read(text, 1);
    if (dialled.isLinkLocalWithoutZone()) {
      throw new BadValueException(
          "the zone of a link-local address, such as [" + dialled.host + "%eth0]:" + dialled.port);
    }
    return dialled;
  }

  /** Every link of a host has such addresses, so the zone says which one is meant (RFC 4007). */
  private boolean isLinkLocalWithoutZone() {
    return host.indexOf(':') >= 0
        && host.indexOf('%') < 0
        && InetAddress.ofLiteral(host).isLinkLocalAddress();
  }

  /** Whether the host is an IP address, not a name. */
  public boolean isIp() {
    return host.indexOf(':') >= 0 || IPV4.matcher(host).matches();
  }

  /** Whether both mean the same, however they are written. */
  boolean isSameAs(HostPort other) {
    return canonical().equals(other.canonical());
  }

  /** One text for all spellings. */
  String canonical() {
    return canonicalHost() + ":" + port;
  }

  private String canonicalHost() {
    int zone = host.indexOf('%');
    return isIp()
        ? InetAddress.ofLiteral(zone < 0 ? host : host.substring(0, zone)).getHostAddress()
            + (zone < 0 ? "" : host.substring(zone))
        : host.toLowerCase(Locale.ROOT);
  }

  /**
   * Reads the text.
   *
   * @param portMin the smallest port allowed
   * @throws BadValueException naming what is expected
   */
  public static HostPort read(String text, int portMin) throws BadValueException {
    int colon = text.lastIndexOf(':');
    if (colon <= 0 || text.endsWith("]")) {
      throw new BadValueException(EXPECTED);
    }
    return new HostPort(host(text.substring(0, colon)), port(text.substring(colon + 1), portMin));
  }

  private static String host(String text) throws BadValueException {
    if (text.startsWith("[") && text.endsWith("]")) {
      String address = text.substring(1, text.length() - 1);
      if (IPV6.matcher(address).matches() && isIpv6(address)) {
        return address;
      }
    } else if (IPV4.matcher(text).matches() && isLiteral(text)) {
      return text;
    } else if (text.indexOf(':') >= 0) {
      throw new BadValueException("an IPv6 address in brackets, such as [::1]:7000");
    } else if (text.length() <= HOST_CHARS_MAX && NAME.matcher(text).matches()) {
      return text;
    }
    throw new BadValueException(EXPECTED);
  }

  /** The interface that the zone names need not exist yet. */
  private static boolean isIpv6(String address) {
    int zone = address.indexOf('%');
    return isLiteral(zone < 0 ? address : address.substring(0, zone));
  }

  private static boolean isLiteral(String address) {
    try {
      var _ = InetAddress.ofLiteral(address);
      return true;
    } catch (IllegalArgumentException notAnAddress) {
      return false;
    }
  }

  private static int port(String text, int portMin) throws BadValueException {
    String expected = "port " + portMin + " to " + PORT_MAX;
    if (text.isEmpty() || text.length() > 5 || !text.chars().allMatch(c -> c >= '0' && c <= '9')) {
      throw new BadValueException(expected);
    }
    int port = Integer.parseInt(text);
    if (port < portMin || port > PORT_MAX) {
      throw new BadValueException(expected);
    }
    return port;
  }

  /** As it is written, IPv6 in brackets. */
  public String text() {
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
  }
}
