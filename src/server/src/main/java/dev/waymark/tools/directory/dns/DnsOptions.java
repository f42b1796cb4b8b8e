package dev.waymark.tools.directory.dns;

import dev.waymark.net.admission.Rate;
import dev.waymark.protocol.Check;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * How DNS is served. Immutable.
 *
 * @param listen for UDP and TCP; port 0 is any free port
 * @param zone the name below which services are found, as {@link #readZone} returns it
 * @param ttl how long others may keep an answer, or that there is none; whole seconds
 * @param udpBytesMax the longest answer over UDP, 512 to 4096; 512 to queries without EDNS
 * @param connectionsMax how many TCP connections may be open at once; for one more, that which has
 *     been silent for the longest time is closed
 * @param idleTimeout how long a TCP connection may be without a complete query
 * @param ratePerSource how many answers over UDP a network of sources gets (/24 of IPv4, /56 of
 *     IPv6); others only say that TCP is to be used. The host itself is exempt. Empty: any number
 */
public record DnsOptions(
    InetSocketAddress listen,
    String zone,
    Duration ttl,
    int udpBytesMax,
    int connectionsMax,
    Duration idleTimeout,
    Optional<Rate> ratePerSource) {
  /** The default zone: internal is reserved for private use (ICANN, July 2024). */
  public static final String ZONE = "waymark.internal";

  /** What the text of a zone looks like, for messages. */
  public static final String ZONE_EXPECTED =
      "a domain name of at most " + DnsOptions.ZONE_CHARS_MAX + " characters, such as " + ZONE;

  public static final Duration TTL = Duration.ofSeconds(2);
  public static final Duration TTL_MAX = Duration.ofHours(1);

  /** Fits everywhere without fragments (DNS Flag Day 2020). */
  public static final int UDP_BYTES_MAX = 1_232;

  public static final int CONNECTIONS_MAX = 200;
  public static final Duration IDLE_TIMEOUT = Duration.ofSeconds(10);
  public static final Rate RATE_PER_SOURCE = new Rate(1_000, TimeUnit.SECONDS);

  /** Leaves room for the names of services. */
  private static final int ZONE_CHARS_MAX = 100;

  private static final int UDP_BYTES_LIMIT = 4_096;

  public DnsOptions {
    Check.that(zone.equals(readZone(zone)), "the zone was read by readZone");
    Check.that(!ttl.isNegative() && ttl.compareTo(TTL_MAX) <= 0, "a TTL is between 0 and an hour");
    Check.that(
        udpBytesMax >= Responder.PLAIN_UDP_BYTES_MAX && udpBytesMax <= UDP_BYTES_LIMIT,
        "answers over UDP have 512 to 4096 bytes");
    Check.that(connectionsMax > 0, "TCP is not optional (RFC 7766)");
    Check.that(idleTimeout.toMillis() > 0, "a query takes time");
  }

  /** The defaults, with this address. */
  public static DnsOptions at(InetSocketAddress listen) {
    return new DnsOptions(
        listen,
        ZONE,
        TTL,
        UDP_BYTES_MAX,
        CONNECTIONS_MAX,
        IDLE_TIMEOUT,
        Optional.of(RATE_PER_SOURCE));
  }

  /**
   * Reads the name of a zone: in any case, with or without a dot at the end.
   *
   * @throws IllegalArgumentException whose message is what is expected instead
   */
  public static String readZone(String text) {
    String zone = Names.key(text.endsWith(".") ? text.substring(0, text.length() - 1) : text);
    if (zone.length() > ZONE_CHARS_MAX || !Names.isLegal(zone)) {
      throw new IllegalArgumentException(ZONE_EXPECTED);
    }
    return zone;
  }
}
