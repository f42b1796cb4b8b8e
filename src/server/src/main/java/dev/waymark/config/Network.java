package dev.waymark.config;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A range of IP addresses, such as 10.0.0.0/8. IPv4 is held as IPv4-mapped IPv6. Immutable.
 *
 * @param high the upper 64 bits of its first address
 * @param low the lower 64 bits
 * @param bits how many leading bits all its addresses share, of 128
 * @param text as written
 */
public record Network(long high, long low, int bits, String text) {
  static final String EXPECTED =
      "networks separated by commas, such as 10.0.0.0/8, 192.0.2.7 or fd00::/8";

  static final String PATTERN = "[0-9a-fA-F:.]{2,45}(/[0-9]{1,3})?";

  private static final Pattern FORM = Pattern.compile("([0-9a-fA-F:.]{2,45})(?:/([0-9]{1,3}))?");
  private static final Pattern IPV4 = Pattern.compile("[0-9]{1,3}(\\.[0-9]{1,3}){3}");
  private static final int IPV4_BITS = 32;
  private static final int IPV6_BITS = 128;

  /** Bits 80 to 95 of an IPv4-mapped address; those before are zero. */
  private static final long IPV4_MARK = 0xffffL;

  /**
   * Reads an address, with or without the length of its prefix.
   *
   * @throws BadValueException naming what is expected
   */
  public static Network read(String text) throws BadValueException {
    Matcher form = FORM.matcher(text);
    if (!form.matches()) {
      throw new BadValueException(EXPECTED);
    }
    String address = form.group(1);
    byte[] ip = ip(address);
    boolean isIpv4 = address.indexOf(':') < 0;
    int bitsMax = isIpv4 ? IPV4_BITS : IPV6_BITS;
    int prefix = form.group(2) == null ? bitsMax : Integer.parseInt(form.group(2));
    if (prefix > bitsMax) {
      throw new BadValueException("a prefix of at most " + bitsMax + " bits in " + text);
    }
    Network network = new Network(high(ip), low(ip), prefix + IPV6_BITS - bitsMax, text);
    if ((network.high & ~highMask(network.bits)) != 0
        || (network.low & ~lowMask(network.bits)) != 0) {
      throw new BadValueException("no bits beyond the prefix in " + text);
    }
    return network;
  }

  private static byte[] ip(String text) throws BadValueException {
    // InetAddress would also take 10.1 for 10.0.0.1.
    if (text.indexOf(':') < 0 && !IPV4.matcher(text).matches()) {
      throw new BadValueException(EXPECTED);
    }
    try {
      return InetAddress.ofLiteral(text).getAddress();
    } catch (IllegalArgumentException notAnAddress) {
      throw new BadValueException(EXPECTED);
    }
  }

  /** Whether the address belongs to it. An IPv6 network contains no IPv4 address. */
  public boolean contains(InetAddress address) {
    byte[] ip = address.getAddress();
    long otherHigh = high(ip);
    long otherLow = low(ip);
    return isIpv4(high, low) == isIpv4(otherHigh, otherLow)
        && (otherHigh & highMask(bits)) == high
        && (otherLow & lowMask(bits)) == low;
  }

  private static boolean isIpv4(long high, long low) {
    return high == 0 && low >>> IPV4_BITS == IPV4_MARK;
  }

  private static long high(byte[] ip) {
    return ip.length == Integer.BYTES ? 0 : ByteBuffer.wrap(ip).getLong();
  }

  private static long low(byte[] ip) {
    return ip.length == Integer.BYTES
        ? IPV4_MARK << IPV4_BITS | Integer.toUnsignedLong(ByteBuffer.wrap(ip).getInt())
        : ByteBuffer.wrap(ip).getLong(Long.BYTES);
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
}
