package dev.waymark.tools.bench;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;

/** Parses the local addresses to connect from. Stateless. */
public final class Sources {
  /**
   * An address has some 28,000 ports per target, but the kernel's search for a free one gets slow
   * long before they are used up.
   */
  private static final int CONNECTIONS_PER_SOURCE = 4_000;

  /** Leaves room for ports that closed connections still occupy. */
  private static final int SOURCES_MIN = 16;

  private static final int ADDRESS_BITS = 32;

  private Sources() {}

  /**
   * Parses addresses and networks such as 127.0.0.0/8, and takes as many addresses of a network as
   * are useful.
   *
   * @throws BenchException if a text is neither
   */
  public static List<InetAddress> parse(List<String> texts, int connections) {
    List<InetAddress> sources = new ArrayList<>();
    for (String text : texts) {
      int slash = text.indexOf('/');
      if (slash < 0) {
        sources.add(address(text, text));
      } else {
        sources.addAll(network(text, slash, connections));
      }
    }
    return sources;
  }

  private static List<InetAddress> network(String text, int slash, int connections) {
    byte[] base = address(text.substring(0, slash), text).getAddress();
    if (base.length != ADDRESS_BITS / 8) {
      throw refused(text);
    }
    int bits = bits(text, slash);
    long size = 1L << (ADDRESS_BITS - bits);
    long first = 0;
    for (byte octet : base) {
      first = first << 8 | (octet & 0xff);
    }
    first &= -size;
    long wanted = Math.max(SOURCES_MIN, connections / CONNECTIONS_PER_SOURCE + 1);
    List<InetAddress> sources = new ArrayList<>();
    // Excludes the network's own address, which is the first, and its broadcast address, the last.
    for (long i = Math.min(1, size - 1); i < Math.min(wanted + 1, Math.max(1, size - 1)); i++) {
      sources.add(address(first + i));
    }
    return sources;
  }

  private static int bits(String text, int slash) {
    String bits = text.substring(slash + 1);
    if (!bits.matches("[0-9]{1,2}") || Integer.parseInt(bits) > ADDRESS_BITS) {
      throw refused(text);
    }
    return Integer.parseInt(bits);
  }

  private static InetAddress address(long number) {
    byte[] bytes = {
      (byte) (number >>> 24), (byte) (number >>> 16), (byte) (number >>> 8), (byte) number
    };
    try {
      return InetAddress.getByAddress(bytes);
    } catch (UnknownHostException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private static InetAddress address(String address, String text) {
    try {
      return InetAddress.ofLiteral(address);
    } catch (IllegalArgumentException e) {
      throw refused(text);
    }
  }

  private static BenchException refused(String text) {
    return new BenchException(
        "--source: " + text + " (expected: an address or a network, such as 127.0.0.0/8)");
  }
}
