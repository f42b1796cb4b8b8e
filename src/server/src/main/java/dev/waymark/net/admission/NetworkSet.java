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
 * many ranges, each of which has one narrowest network. A search by bisection finds the range; a
 * table of the leading bits says where to begin, so that it takes a few steps. IPv4 and IPv6 have a
 * table each.
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
    /** More leading bits would make the table larger than what it spares. */
    private static final int INDEX_BITS_MAX = 16;

    private final long[] firstHigh;
    private final long[] firstLow;
    private final @Nullable Network[] narrowest;

    /**
     * For each value of the leading bits, the range that contains the first address with these; one
     * more value at the end.
     */
    private final int[] starts;

    /** What is left of the upper 64 bits after it are the leading bits. */
    private final int shift;

    private Ranges(
        long[] firstHigh, long[] firstLow, @Nullable Network[] narrowest, int[] starts, int shift) {
      this.firstHigh = firstHigh;
      this.firstLow = firstLow;
      this.narrowest = narrowest;
      this.starts = starts;
      this.shift = shift;
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
      int bucket = (int) (high >>> shift);
      int from = starts[bucket];
      int to = starts[bucket + 1];
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
        int bits = Math.min(INDEX_BITS_MAX, Integer.SIZE - Integer.numberOfLeadingZeros(count));
        int shift = Long.SIZE - bits;
        int[] starts = new int[(1 << bits) + 1];
        int range = 0;
        for (int bucket = 0; bucket < 1 << bits; bucket++) {
          long first = (long) bucket << shift;
          while (range + 1 < count && !isAfter(highs[range + 1], lows[range + 1], first, 0)) {
            range++;
          }
          starts[bucket] = range;
        }
        starts[1 << bits] = count - 1;
        return new Ranges(highs, lows, networks, starts, shift);
      }
    }
  }
}
