package dev.waymark.net.admission;

import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.regex.Pattern;

/**
 * A range of IP addresses, such as 10.0.0.0/8. IPv4 is held as IPv4-mapped IPv6. Immutable.
 *
 * @param high the upper 64 bits of its first address
 * @param low the lower 64 bits
 * @param bits how many leading bits all its addresses share, of 128
 */
public record Network(long high, long low, int bits) {
  /** What the text of a network looks like, for messages. */
  public static final String EXPECTED = "a network such as 10.0.0.0/8, 192.0.2.7 or fd00::/8";

  /** The form of the text, as a regular expression for editors; not everything of it is valid. */
  public static final String PATTERN = "[0-9a-fA-F:.]{2,45}(/[0-9]{1,3})?";

  static final int IPV4_BITS = 32;
  static final int IPV6_BITS = 128;

  /** How many bits of an IPv4-mapped address are not those of the IPv4 address. */
  static final int IPV4_PREFIX_BITS = IPV6_BITS - IPV4_BITS;

  private static final Pattern FORM = Pattern.compile(PATTERN);
  private static final Pattern IPV4 = Pattern.compile("[0-9]{1,3}(\\.[0-9]{1,3}){3}");

  /** Bits 80 to 95 of an IPv4-mapped address; those before are zero. */
  private static final long IPV4_MARK = 0xffffL;

  /**
   * Reads an address, with or without the length of its prefix.
   *
   * @throws IllegalArgumentException whose message is what is expected instead
   */
  public static Network read(String text) {
    if (!FORM.matcher(text).matches()) {
      throw new IllegalArgumentException(EXPECTED);
    }
    int slash = text.indexOf('/');
    String address = slash < 0 ? text : text.substring(0, slash);
    byte[] ip = ip(address);
    boolean isIpv4 = address.indexOf(':') < 0;
    int bitsMax = isIpv4 ? IPV4_BITS : IPV6_BITS;
    int prefix = slash < 0 ? bitsMax : Integer.parseInt(text.substring(slash + 1));
    if (prefix > bitsMax) {
      throw new IllegalArgumentException("a prefix of at most " + bitsMax + " bits in " + text);
    }
    Network network = new Network(high(ip), low(ip), prefix + IPV6_BITS - bitsMax);
    if ((network.high & ~highMask(network.bits)) != 0
        || (network.low & ~lowMask(network.bits)) != 0) {
      throw new IllegalArgumentException("no bits beyond the prefix in " + text);
    }
    return network;
  }

  private static byte[] ip(String text) {
    // InetAddress would also take 10.1 for 10.0.0.1.
    if (text.indexOf(':') < 0 && !IPV4.matcher(text).matches()) {
      throw new IllegalArgumentException(EXPECTED);
    }
    try {
      return InetAddress.ofLiteral(text).getAddress();
    } catch (IllegalArgumentException notAnAddress) {
      throw new IllegalArgumentException(EXPECTED, notAnAddress);
    }
  }

  /** Whether the address belongs to it. An IPv6 network contains no IPv4 address. */
  public boolean contains(InetAddress address) {
    byte[] ip = address.getAddress();
    long otherHigh = high(ip);
    long otherLow = low(ip);
    return isIpv4() == isIpv4(otherHigh, otherLow)
        && (otherHigh & highMask(bits)) == high
        && (otherLow & lowMask(bits)) == low;
  }

  /** Whether it is a range of IPv4 addresses. */
  boolean isIpv4() {
    return bits >= IPV4_PREFIX_BITS && isIpv4(high, low);
  }

  static boolean isIpv4(long high, long low) {
    return high == 0 && low >>> IPV4_BITS == IPV4_MARK;
  }

  /** The upper 64 bits of an address; those of the IPv4-mapped one if it is IPv4. */
  static long high(byte[] ip) {
    return ip.length == Integer.BYTES ? 0 : ByteBuffer.wrap(ip).getLong();
  }

  /** The counterpart of {@link #high}. */
  static long low(byte[] ip) {
    return ip.length == Integer.BYTES
        ? IPV4_MARK << IPV4_BITS | Integer.toUnsignedLong(ByteBuffer.wrap(ip).getInt())
        : ByteBuffer.wrap(ip).getLong(Long.BYTES);
  }

  /** The upper 64 bits of its last address. */
  long lastHigh() {
    return high | ~highMask(bits);
  }

  /** The lower 64 bits of its last address. */
  long lastLow() {
    return low | ~lowMask(bits);
  }

  private static long highMask(int bits) {
    return mask(Math.min(bits, Long.SIZE));
  }

  private static long lowMask(int bits) {
    return mask(Math.max(0, bits - Long.SIZE));
  }

  /** A shift by 64 would be one by 0. */
  private static long mask(int bits) {
    return bits == 0 ? 0 : -1L << (Long.SIZE - bits);
  }

  /** The form in logs: 10.0.0.0/8, or 192.0.2.7 for a single address. */
  @Override
  public String toString() {
    boolean isIpv4 = isIpv4();
    byte[] ip =
        isIpv4
            ? ByteBuffer.allocate(Integer.BYTES).putInt((int) low).array()
            : ByteBuffer.allocate(2 * Long.BYTES).putLong(high).putLong(low).array();
    int prefix = isIpv4 ? bits - IPV4_PREFIX_BITS : bits;
    try {
      String address = NetUtil.toAddressString(InetAddress.getByAddress(ip));
      return bits == IPV6_BITS ? address : address + "/" + prefix;
    } catch (UnknownHostException wrongLength) {
      throw new IllegalStateException(wrongLength);
    }
  }
}
