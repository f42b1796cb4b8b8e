package dev.waymark.pool;

import io.netty.channel.Channel;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;

/**
 * The text of an upstream's address, understood: something to dial, or a name that has to be
 * resolved first. Immutable.
 */
public sealed interface UpstreamAddress {
  /** Can be dialled as it is. */
  record Literal(SocketAddress socketAddress) implements UpstreamAddress {}

  /** A host name and a port. */
  record Name(String host, int port) implements UpstreamAddress {}

  /** How a path of a Unix socket starts. */
  String UNIX_PREFIX = "unix:";

  /**
   * Understands `host:port`, `1.2.3.4:port`, `[::1]:port`, `unix:/path` and `unix:///path`.
   *
   * @throws IllegalArgumentException naming the text and what is expected
   */
  static UpstreamAddress parse(String text) {
    if (text.startsWith(UNIX_PREFIX)) {
      String path = text.substring(UNIX_PREFIX.length());
      require(!path.isEmpty(), text);
      return new Literal(
          UnixDomainSocketAddress.of(path.startsWith("//") ? path.substring(2) : path));
    }
    int colon = text.lastIndexOf(':');
    require(colon > 0, text);
    String host = text.substring(0, colon);
    int port = port(text, text.substring(colon + 1));
    boolean isBracketed = host.startsWith("[") && host.endsWith("]");
    require(isBracketed || host.indexOf(':') < 0, text);
    byte[] ip = NetUtil.createByteArrayFromIpAddressString(host);
    if (ip != null) {
      return new Literal(new InetSocketAddress(ofBytes(ip), port));
    }
    require(!isBracketed, text);
    return new Name(host, port);
  }

  /** The text of this address and port: `10.0.0.7:4770`, `[::1]:4770`; never a name. */
  static String format(InetAddress address, int port) {
    return NetUtil.toSocketAddressString(
        new InetSocketAddress(ofBytes(address.getAddress()), port));
  }

  /**
   * The address in the class that a channel of this type dials: for Unix sockets Netty's native
   * transports want their own, Java's selectors Java's.
   */
  static SocketAddress forChannelType(SocketAddress address, Class<? extends Channel> channelType) {
    return address instanceof UnixDomainSocketAddress unix
            && channelType != NioDomainSocketChannel.class
        ? new DomainSocketAddress(unix.getPath().toString())
        : address;
  }

  /** An address without a host name, so that it prints as numbers. */
  private static InetAddress ofBytes(byte[] ip) {
    try {
      return InetAddress.getByAddress(ip);
    } catch (UnknownHostException notFourOrSixteenBytes) {
      throw new IllegalStateException(notFourOrSixteenBytes);
    }
  }

  private static int port(String text, String digits) {
    try {
      int port = Integer.parseInt(digits);
      require(port > 0 && port <= 65_535, text);
      return port;
    } catch (NumberFormatException notANumber) {
      throw refused(text);
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
            + "' is not the address of an upstream: host:port, [ipv6]:port or unix:/path expected");
  }
}
