package dev.waymark.net.admission;

import java.net.InetAddress;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.SequencedSet;
import org.jspecify.annotations.Nullable;

/**
 * The sources that have connections, or had some lately. A source is an IPv4 address, or an IPv6
 * network of 64 bits: whoever has one IPv6 address can usually have all of its /64. Not
 * thread-safe: {@link Admission} guards it.
 *
 * <p>There are more IPv6 networks than memory, so the table is bounded: the source that has not
 * connected for the longest time is forgotten, even if it has connections. A source that is
 * forgotten may then have as many again. Its attempts keep a source in the table, so this takes as
 * many others as the table holds, each admitted in between.
 */
final class SourceTable {
  /** How many blank sources leave for each that comes: enough for all to leave in the end. */
  private static final int BLANKS_PER_ENTRY = 2;

  /** Oldest attempt first. */
  private final LinkedHashMap<Long, Source> sources = new LinkedHashMap<>(16, 0.75f, true);

  /** Those whose last connection has ended: they may be blank soon. */
  private final SequencedSet<Source> leaving = new LinkedHashSet<>();

  private final int sourcesMax;
  private long forgottenCount;

  SourceTable(int sourcesMax) {
    this.sourcesMax = sourcesMax;
  }

  /**
   * Returns the source of an address, or null if it is blank. It becomes the last to be forgotten.
   */
  @Nullable Source find(InetAddress address) {
    return sources.get(key(address));
  }

  /** Adds the source of an address that {@link #find} did not find. */
  Source add(InetAddress address, long nowNs) {
    dropBlanks(nowNs);
    if (sources.size() >= sourcesMax) {
      sources.pollFirstEntry();
      forgottenCount++;
    }
    Source source = new Source(key(address), nowNs);
    sources.put(source.key(), source);
    return source;
  }

  /** A connection of the source has ended. */
  void leave(Source source) {
    source.leave();
    if (source.connections() == 0) {
      leaving.add(source);
    }
  }

  private void dropBlanks(long nowNs) {
    for (int i = 0; i < BLANKS_PER_ENTRY && !leaving.isEmpty(); i++) {
      Source next = leaving.removeFirst();
      if (next.isBlank(nowNs)) {
        // Unless it was forgotten, and has come again.
        sources.remove(next.key(), next);
      } else if (next.connections() == 0) {
        leaving.add(next);
      }
    }
  }

  int size() {
    return sources.size();
  }

  /** How many sources were forgotten although there was something to remember. */
  long forgottenCount() {
    return forgottenCount;
  }

  /**
   * IPv4 addresses take the place of 0:ffff::/32, which nobody has: all of 0000::/8 is reserved
   * (RFC 4291).
   */
  private static long key(InetAddress address) {
    byte[] ip = address.getAddress();
    long high = Network.high(ip);
    long low = Network.low(ip);
    return Network.isIpv4(high, low) ? low : high;
  }

  /** The form in logs: 192.0.2.7, or 2001:db8::/64. */
  static String text(InetAddress address) {
    byte[] ip = address.getAddress();
    long high = Network.high(ip);
    long low = Network.low(ip);
    return Network.isIpv4(high, low)
        ? new Network(high, low, Network.IPV6_BITS).toString()
        : new Network(high, 0, Long.SIZE).toString();
  }
}
