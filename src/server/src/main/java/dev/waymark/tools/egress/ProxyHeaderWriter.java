package dev.waymark.tools.egress;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.waymark.config.BadValueException;
import dev.waymark.config.HostPort;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * Writes headers of the PROXY protocol, version 2 (<a
 * href="https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt">its specification</a>, section
 * 2.2). Stateless.
 */
final class ProxyHeaderWriter {
  private static final byte[] SIGNATURE = "\r\n\r\n\0\r\nQUIT\n".getBytes(US_ASCII);
  private static final int LOCAL = 0x20;
  private static final int PROXY = 0x21;
  private static final int UNSPECIFIED = 0x00;
  private static final int TCP_OVER_IPV4 = 0x11;
  private static final int TCP_OVER_IPV6 = 0x21;
  private static final int UNIQUE_ID = 0x05;
  private static final int IPV6_BYTES = 16;
  private static final int IPV4_IN_IPV6_AT = 10;

  private ProxyHeaderWriter() {}

  /** Returns the header of a connection that the sender opens for itself: a health probe. */
  static ByteBuf local() {
    return Unpooled.buffer()
        .writeBytes(SIGNATURE)
        .writeByte(LOCAL)
        .writeByte(UNSPECIFIED)
        .writeShort(0);
  }

  /**
   * Returns the header of a client's connection. Its addresses are left out (UNSPEC) if one of them
   * is not an IP address.
   *
   * @param source the client's address, host:port, IPv6 in brackets
   * @param destination what the client dialled, likewise
   * @param mark goes into the unique id
   */
  static ByteBuf proxied(String source, String destination, String mark) {
    InetSocketAddress from = address(source);
    InetSocketAddress to = address(destination);
    ByteBuf body = Unpooled.buffer();
    int family = UNSPECIFIED;
    if (from != null && to != null) {
      boolean isIpv6 =
          from.getAddress() instanceof Inet6Address || to.getAddress() instanceof Inet6Address;
      family = isIpv6 ? TCP_OVER_IPV6 : TCP_OVER_IPV4;
      body.writeBytes(bytes(from.getAddress(), isIpv6)).writeBytes(bytes(to.getAddress(), isIpv6));
      body.writeShort(from.getPort()).writeShort(to.getPort());
    }
    byte[] id = mark.getBytes(US_ASCII);
    body.writeByte(UNIQUE_ID).writeShort(id.length).writeBytes(id);
    return Unpooled.buffer()
        .writeBytes(SIGNATURE)
        .writeByte(PROXY)
        .writeByte(family)
        .writeShort(body.readableBytes())
        .writeBytes(body);
  }

  private static byte[] bytes(InetAddress address, boolean isIpv6) {
    byte[] own = address.getAddress();
    if (!isIpv6 || own.length == IPV6_BYTES) {
      return own;
    }
    // RFC 4291, section 2.5.5.2.
    byte[] mapped = new byte[IPV6_BYTES];
    mapped[IPV4_IN_IPV6_AT] = -1;
    mapped[IPV4_IN_IPV6_AT + 1] = -1;
    System.arraycopy(own, 0, mapped, IPV4_IN_IPV6_AT + 2, own.length);
    return mapped;
  }

  private static @Nullable InetSocketAddress address(String text) {
    try {
      HostPort read = HostPort.read(text, 0);
      return read.isIp()
          ? new InetSocketAddress(InetAddress.ofLiteral(read.host()), read.port())
          : null;
    } catch (BadValueException notAnAddress) {
      return null;
    }
  }
}
