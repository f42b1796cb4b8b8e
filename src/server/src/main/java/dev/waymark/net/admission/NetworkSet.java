package dev.waymark.net.admission;

import java.net.InetAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds the narrowest network that contains an address, among up to some 100,000. Immutable.
 *
 * <p>Networks are either nested or disjoint, so they divide the addresses into at most twice as
 * many ranges, each of which has one narrowest network. A search by bisection finds the range; an
 * index of the leading bits says where to begin, so that it takes a few steps. IPv4 and IPv6 have
 * ranges and an index each.
 */
public final class NetworkSet {
  /** Contains nothing. */
  public static final NetworkSet EMPTY = of(List.of());

  private static final int IPV4_SHIFT = Long.SIZE - Network.IPV4_BITS;

  private final Ranges ipv4;
  private final Ranges ipv6;
  private final int size;

  private NetworkSet(Ranges ipv4, Ranges ipv6, int size) {
    this.ipv4 = ipv4;
    this.ipv6 = ipv6;
    this.size = size;
  }

  /** Builds a set; the order of the networks does not matter, and one may be there twice. */
  public static NetworkSet of(List<Network> networks) {
    List<Network> distinct = networks.stream().distinct().toList();
    return new NetworkSet(
        Ranges.of(distinct.stream().filter(Network::isIpv4).toList(), true),
        Ranges.of(distinct.stream().filter(network -> !network.isIpv4()).toList(), false),
        distinct.size());
  }

  /** The narrowest network that contains the address; null if none does. */
  public @Nullable Network find(InetAddress address) {
    byte[] ip = address.getAddress();
    long high = Network.high(ip);
    long low = Network.low(ip);
    return Network.isIpv4(high, low) ? ipv4.find(low << IPV4_SHIFT, 0) : ipv6.find(high, low);
  }

  /** The number of different networks. */
  public int size() {
    return size;
  }

  public boolean isEmpty() {
    return size == 0;
  }

  @Override
  public String toString() {
    return size + " networks";
  }

  /**
   * The ranges of one family, by first address. An address is a number of 128 bits, and an IPv4
   * address has its 32 bits at the upper end of it, so that the leading bits tell addresses apart.
   */
  private static final class Ranges {
    private final long[] firstHigh;
    private final long[] firstLow;
    private final @Nullable Network[] narrowest;
    private final @Nullable Index index;

    private Ranges(long[] firstHigh, long[] firstLow, @Nullable Network[] narrowest) {
      this.firstHigh = firstHigh;
      this.firstLow = firstLow;
      this.narrowest = narrowest;
      this.index = Index.of(firstHigh, 0, firstHigh.length - 1);
    }

    static Ranges of(List<Network> networks, boolean isIpv4) {
      List<Network> sorted = new ArrayList<>(networks);
      sorted.sort(
          Comparator.comparing((Network network) -> network.high(), Long::compareUnsigned)
              .thenComparing(network -> network.low(), Long::compareUnsigned)
              .thenComparingInt(Network::bits));
      Builder builder = new Builder(2 * sorted.size() + 1, isIpv4);
      sorted.forEach(builder::add);
      return builder.build();
    }

    @Nullable Network find(long high, long low) {
      int from = 0;
      int to = firstHigh.length - 1;
      for (Index at = index; at != null; ) {
        int bucket = at.bucket(high);
        from = at.starts[bucket];
        to = at.starts[bucket + 1];
        at = at.finer[bucket];
      }
      // The last range in from..to that does not begin after the address.
      while (from < to) {
        int middle = (from + to + 1) >>> 1;
        if (isAfter(firstHigh[middle], firstLow[middle], high, low)) {
          to = middle - 1;
        } else {
          from = middle;
        }
      }
      return narrowest[from];
    }

    private static boolean isAfter(long high, long low, long otherHigh, long otherLow) {
      return high == otherHigh
          ? Long.compareUnsigned(low, otherLow) > 0
          : Long.compareUnsigned(high, otherHigh) > 0;
    }

    /** Builds ranges from networks, given in order, the wider first. */
    private static final class Builder {
      private final boolean isIpv4;
      private final Deque<Network> open = new ArrayDeque<>();
      private long[] highs;
      private long[] lows;
      private @Nullable Network[] networks;
      private int count;

      Builder(int rangesMax, boolean isIpv4) {
        this.isIpv4 = isIpv4;
        this.highs = new long[rangesMax];
        this.lows = new long[rangesMax];
        this.networks = new Network[rangesMax];
        begin(0, 0, null);
      }

      void add(Network network) {
        closeUntil(network);
        begin(firstHigh(network), firstLow(network), network);
        open.push(network);
      }

      /** Ends the networks that do not contain the next one; null: all. */
      private void closeUntil(@Nullable Network next) {
        while (!open.isEmpty() && (next == null || !contains(open.peek(), next))) {
          Network ended = open.pop();
          long afterLow = isIpv4 ? 0 : ended.lastLow() + 1;
          long afterHigh =
              isIpv4
                  ? (ended.lastLow() << IPV4_SHIFT) + (1L << IPV4_SHIFT)
                  : ended.lastHigh() + (afterLow == 0 ? 1 : 0);
          // Behind the last address of all there is nothing.
          if (afterHigh != 0 || afterLow != 0) {
            begin(afterHigh, afterLow, open.peek());
          }
        }
      }

      private static boolean contains(Network outer, Network inner) {
        return !isAfter(inner.lastHigh(), inner.lastLow(), outer.lastHigh(), outer.lastLow());
      }

      private long firstHigh(Network network) {
        return isIpv4 ? network.low() << IPV4_SHIFT : network.high();
      }

      private long firstLow(Network network) {
        return isIpv4 ? 0 : network.low();
      }

      /** A range that begins where the last one does replaces it. */
      private void begin(long high, long low, @Nullable Network network) {
        if (count > 0 && highs[count - 1] == high && lows[count - 1] == low) {
          count--;
        }
        highs[count] = high;
        lows[count] = low;
        networks[count++] = network;
      }

      Ranges build() {
        closeUntil(null);
        highs = Arrays.copyOf(highs, count);
        lows = Arrays.copyOf(lows, count);
        networks = Arrays.copyOf(networks, count);
        return new Ranges(highs, lows, networks);
      }
    }
  }

  /**
   * Divides the addresses between the first and the last of many ranges evenly into buckets; a
   * bucket that still has many ranges has an index of its own. Assigned IPv6 networks crowd
   * together in a few places, so a single level would not tell them apart.
   */
  private static final class Index {
    /** With fewer ranges, bisection takes no longer. */
    private static final int RANGES_MIN = 16;

    private static final int BITS_MAX = 16;

    private final long origin;
    private final int shift;

    /**
     * For each bucket, the range that contains its first address; then, as the end of the last
     * bucket, the last range. Addresses before the origin are in the first bucket, those behind all
     * ranges' starts in the last.
     */
    private final int[] starts;

    private final @Nullable Index[] finer;

    private Index(long origin, int shift, int[] starts, @Nullable Index[] finer) {
      this.origin = origin;
      this.shift = shift;
      this.starts = starts;
      this.finer = finer;
    }

    /** Returns an index of the ranges from..to; null if they need none. */
    static @Nullable Index of(long[] firstHigh, int from, int to) {
      if (to - from < RANGES_MIN) {
        return null;
      }
      long origin = firstHigh[from + 1];
      long span = firstHigh[to] - origin;
      if (span == 0) {
        return null;
      }
      int bits = Math.min(BITS_MAX, bitLength(to - from) + 1);
      int shift = Math.max(0, bitLength(span) - bits);
      int count = (int) (span >>> shift) + 1;
      int[] starts = new int[count + 1];
      int range = from;
      starts[0] = from;
      for (int bucket = 1; bucket < count; bucket++) {
        long first = origin + ((long) bucket << shift);
        // Ranges that begin within the first 64 bits of an address begin after it.
        while (range < to && Long.compareUnsigned(firstHigh[range + 1], first) < 0) {
          range++;
        }
        starts[bucket] = range;
      }
      starts[count] = to;
      @Nullable Index[] finer = new Index[count];
      for (int bucket = 0; bucket < count; bucket++) {
        finer[bucket] = of(firstHigh, starts[bucket], starts[bucket + 1]);
      }
      return new Index(origin, shift, starts, finer);
    }

    private static int bitLength(long number) {
      return Long.SIZE - Long.numberOfLeadingZeros(number);
    }

    int bucket(long high) {
      if (Long.compareUnsigned(high, origin) <= 0) {
        return 0;
      }
      long bucket = (high - origin) >>> shift;
      int last = starts.length - 2;
      return Long.compareUnsigned(bucket, last) > 0 ? last : (int) bucket;
    }
  }
}
