package dev.waymark.net.admission;

import java.net.InetAddress;
import java.util.Arrays;

/**
 * A rate for each network of sources, where a source may be forged and there are as many as
 * somebody likes: /24 of IPv4, /56 of IPv6. The number of buckets is fixed; networks whose hashes
 * are equal share one. Not thread-safe.
 */
public final class SourceBuckets {
  /** 512 KiB. A power of two. */
  static final int BUCKETS = 1 << 16;

  private static final int IPV4_PREFIX_BITS = 24;
  private static final int IPV6_PREFIX_BITS = 56;

  /** An odd number whose products are spread evenly: 2 to the 64, divided by the golden ratio. */
  private static final long SPREAD = 0x9e3779b97f4a7c15L;

  private final Rate rate;
  private final long secret;

  /** See {@link Rate}. */
  private final long[] fullAtNs = new long[BUCKETS];

  /**
   * @param secret random, so that nobody knows who shares a bucket with whom
   */
  public SourceBuckets(Rate rate, long secret, long nowNs) {
    this.rate = rate;
    this.secret = secret;
    Arrays.fill(fullAtNs, nowNs);
  }

  /** Whether the network of an address may have one more event now; if so, that counts. */
  public boolean take(InetAddress source, long nowNs) {
    int bucket = bucket(source);
    long full = rate.bounded(fullAtNs[bucket], nowNs);
    if (!rate.allows(full, rate.intervalNs(), nowNs)) {
      return false;
    }
    fullAtNs[bucket] = Rate.after(full, rate.intervalNs(), nowNs);
    return true;
  }

  private int bucket(InetAddress source) {
    byte[] ip = source.getAddress();
    long high = Network.high(ip);
    long low = Network.low(ip);
    long network =
        Network.isIpv4(high, low)
            ? low >>> (Network.IPV4_BITS - IPV4_PREFIX_BITS)
            : high >>> (Long.SIZE - IPV6_PREFIX_BITS);
    long mixed = (network ^ secret) * SPREAD;
    mixed = (mixed ^ mixed >>> 32) * SPREAD;
    return (int) (mixed >>> (Long.SIZE - Integer.numberOfTrailingZeros(BUCKETS)));
  }
}
