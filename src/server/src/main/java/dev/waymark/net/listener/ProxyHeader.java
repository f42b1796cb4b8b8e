package dev.waymark.net.listener;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.waymark.protocol.ProxyFacts;
import io.netty.buffer.ByteBuf;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.regex.Pattern;

/**
 * Reads the headers of the PROXY protocol, version 1 (a line) and 2 (binary), strictly as <a
 * href="https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt">its specification</a> says.
 * Why not Netty's decoder: docs/decisions/0040. Stateless.
 */
final class ProxyHeader {
  /** The longest header that is read; version 2 could have eight times as much. */
  static final int BYTES_MAX = 8 * 1024;

  /** The longest line of version 1, CRLF included. */
  static final int LINE_BYTES_MAX = 107;

  private static final byte[] LINE_PREFIX = "PROXY ".getBytes(US_ASCII);
  private static final byte[] SIGNATURE = "\r\n\r\n\0\r\nQUIT\n".getBytes(US_ASCII);

  /** The fixed part of version 2: signature, version and command, family, length. */
  private static final int FIXED_BYTES = SIGNATURE.length + 4;

  private static final int COMMAND_AT = SIGNATURE.length;
  private static final int FAMILY_AT = COMMAND_AT + 1;
  private static final int LENGTH_AT = FAMILY_AT + 1;

  /** The upper half of the byte with the command. */
  private static final int VERSION = 2;

  private static final int LOCAL = 0x20;
  private static final int PROXY = 0x21;

  private static final int IPV4_BYTES = 4;
  private static final int IPV6_BYTES = 16;
  private static final int PORT_BYTES = 2;
  private static final int UNIX_BYTES = 108;

  /** Heading zeros are not allowed: some take such a number for an octal one. */
  private static final Pattern IPV4 =
      Pattern.compile("(0|[1-9][0-9]{0,2})(\\.(0|[1-9][0-9]{0,2})){3}");

  private static final Pattern PORT = Pattern.compile("0|[1-9][0-9]{0,4}");

  private static final int PORT_MAX = 65_535;

  private ProxyHeader() {}

  /**
   * Returns the length of the header at the reader index; -1 while it is incomplete.
   *
   * @param in borrowed; its indices do not change
   * @throws ProxyHeaderException as soon as no header, or none that is allowed, can follow
   */
  static int length(ByteBuf in) throws ProxyHeaderException {
    if (!in.isReadable()) {
      return -1;
    }
    return in.getByte(in.readerIndex()) == SIGNATURE[0] ? binaryLength(in) : lineLength(in);
  }

  private static int lineLength(ByteBuf in) throws ProxyHeaderException {
    checkPrefix(in, LINE_PREFIX);
    int start = in.readerIndex();
    int limitBytes = Math.min(in.readableBytes(), LINE_BYTES_MAX);
    int end = in.indexOf(start, start + limitBytes, (byte) '\n');
    if (end < 0) {
      if (limitBytes == LINE_BYTES_MAX) {
        throw ProxyHeaderException.TOO_LONG;
      }
      return -1;
    }
    if (in.getByte(end - 1) != '\r') {
      throw ProxyHeaderException.LINE;
    }
    return end + 1 - start;
  }

  private static int binaryLength(ByteBuf in) throws ProxyHeaderException {
    checkPrefix(in, SIGNATURE);
    int start = in.readerIndex();
    int readableBytes = in.readableBytes();
    if (readableBytes > COMMAND_AT) {
      int command = in.getUnsignedByte(start + COMMAND_AT);
      if (command != LOCAL && command != PROXY) {
        throw command >> 4 == VERSION ? ProxyHeaderException.COMMAND : ProxyHeaderException.VERSION;
      }
    }
    if (readableBytes < FIXED_BYTES) {
      return -1;
    }
    int bytes = FIXED_BYTES + in.getUnsignedShort(start + LENGTH_AT);
    if (bytes > BYTES_MAX) {
      throw ProxyHeaderException.TOO_LONG;
    }
    return readableBytes >= bytes ? bytes : -1;
  }

  private static void checkPrefix(ByteBuf in, byte[] prefix) throws ProxyHeaderException {
    int bytes = Math.min(in.readableBytes(), prefix.length);
    for (int i = 0; i < bytes; i++) {
      if (in.getByte(in.readerIndex() + i) != prefix[i]) {
        throw ProxyHeaderException.MISSING;
      }
    }
  }

  /**
   * Reads a header.
   *
   * @param header exactly as long as {@link #length} says; may be modified
   * @param proxyAddress the host:port of the peer
   */
  static ProxyFacts read(byte[] header, String proxyAddress) throws ProxyHeaderException {
    return header[0] == SIGNATURE[0]
        ? readBinary(header, proxyAddress)
        : readLine(header, proxyAddress);
  }

  // --- version 1 ---

  private static ProxyFacts readLine(byte[] header, String proxyAddress)
      throws ProxyHeaderException {
    String[] words = new String(header, 0, header.length - 2, US_ASCII).split(" ", -1);
    ProxyTlvs none = new ProxyTlvs();
    if (words[1].equals("UNKNOWN")) {
      // The specification says to ignore whatever follows.
      return none.facts(1, false, proxyAddress, "", "");
    }
    boolean isIpv6 = words[1].equals("TCP6");
    if (words.length != 6 || !(isIpv6 || words[1].equals("TCP4"))) {
      throw ProxyHeaderException.LINE;
    }
    String source = address(words[2], isIpv6, words[4]);
    String destination = address(words[3], isIpv6, words[5]);
    return none.facts(1, false, proxyAddress, source, destination);
  }

  private static String address(String ip, boolean isIpv6, String port)
      throws ProxyHeaderException {
    // Netty would also accept brackets and zones.
    boolean isValid =
        isIpv6
            ? ip.indexOf('[') < 0 && ip.indexOf('%') < 0 && NetUtil.isValidIpV6Address(ip)
            : IPV4.matcher(ip).matches() && NetUtil.isValidIpV4Address(ip);
    byte[] bytes = isValid ? NetUtil.createByteArrayFromIpAddressString(ip) : null;
    if (bytes == null) {
      throw ProxyHeaderException.ADDRESS;
    }
    if (!PORT.matcher(port).matches() || Integer.parseInt(port) > PORT_MAX) {
      throw ProxyHeaderException.PORT;
    }
    return text(bytes, Integer.parseInt(port));
  }

  /** IPv4-mapped IPv6 becomes IPv4, as in the address of a socket. */
  private static String text(byte[] ip, int port) {
    try {
      return SocketClient.text(new InetSocketAddress(InetAddress.getByAddress(ip), port));
    } catch (UnknownHostException wrongLength) {
      throw new IllegalStateException(wrongLength);
    }
  }

  // --- version 2 ---

  private static ProxyFacts readBinary(byte[] header, String proxyAddress)
      throws ProxyHeaderException {
    if (header[COMMAND_AT] == LOCAL) {
      // The specification says to discard the rest, the family included.
      return new ProxyTlvs().facts(2, true, proxyAddress, "", "");
    }
    ByteBuffer in = ByteBuffer.wrap(header).position(FIXED_BYTES);
    return switch (header[FAMILY_AT]) {
      case 0x00 -> new ProxyTlvs().facts(2, false, proxyAddress, "", "");
      case 0x11, 0x12 -> readIp(in, IPV4_BYTES, proxyAddress);
      case 0x21, 0x22 -> readIp(in, IPV6_BYTES, proxyAddress);
      case 0x31, 0x32 -> readUnix(in, proxyAddress);
      default -> throw ProxyHeaderException.FAMILY;
    };
  }

  private static ProxyFacts readIp(ByteBuffer in, int ipBytes, String proxyAddress)
      throws ProxyHeaderException {
    require(in, 2 * (ipBytes + PORT_BYTES));
    byte[] source = next(in, ipBytes);
    byte[] destination = next(in, ipBytes);
    String sourceText = text(source, Short.toUnsignedInt(in.getShort()));
    String destinationText = text(destination, Short.toUnsignedInt(in.getShort()));
    return ProxyTlvs.read(in).facts(2, false, proxyAddress, sourceText, destinationText);
  }

  private static ProxyFacts readUnix(ByteBuffer in, String proxyAddress)
      throws ProxyHeaderException {
    require(in, 2 * UNIX_BYTES);
    String source = unixAddress(next(in, UNIX_BYTES));
    String destination = unixAddress(next(in, UNIX_BYTES));
    return ProxyTlvs.read(in).facts(2, false, proxyAddress, source, destination);
  }

  /** A path ends with a zero byte, unless it fills its place. */
  private static String unixAddress(byte[] path) {
    int length = 0;
    while (length < path.length && path[length] != 0) {
      length++;
    }
    return ProxyFacts.unixAddress(new String(path, 0, length, UTF_8));
  }

  private static void require(ByteBuffer in, int bytes) throws ProxyHeaderException {
    if (in.remaining() < bytes) {
      throw ProxyHeaderException.TOO_SHORT;
    }
  }

  private static byte[] next(ByteBuffer in, int bytes) {
    byte[] taken = new byte[bytes];
    in.get(taken);
    return taken;
  }
}
