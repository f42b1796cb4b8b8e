package dev.waymark.upstreams.names;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The name servers to query and how to complete a name: the parts of resolv.conf(5) that the bridge
 * needs. Immutable.
 *
 * @param servers in the order in which to query them; empty: there are none to query
 * @param search domains to append to a name
 * @param ndots a name with at least this many dots is first tried without a search domain
 * @param isRotating whether each lookup uses the servers in a different order
 */
record ResolvConf(
    List<InetSocketAddress> servers, List<String> search, int ndots, boolean isRotating) {
  /** Further ones are ignored, as in the C library (MAXNS). */
  static final int SERVERS_MAX = 3;

  /** Further ones are ignored, as in glibc before 2.26, which removed the limit. */
  static final int SEARCH_MAX = 6;

  /** Higher values are reduced to this one, as in the C library. */
  static final int NDOTS_MAX = 15;

  private static final int PORT = 53;
  private static final int NDOTS_DEFAULT = 1;
  private static final Pattern SPACE = Pattern.compile("\\s+");
  private static final String NDOTS = "ndots:";

  /** The meaning of a missing file. */
  static final ResolvConf NONE = new ResolvConf(List.of(), List.of(), NDOTS_DEFAULT, false);

  ResolvConf {
    servers = List.copyOf(servers);
    search = List.copyOf(search);
  }

  /** Parses the text of a file; lines that make no sense are skipped. */
  static ResolvConf parse(String text) {
    List<InetSocketAddress> servers = new ArrayList<>();
    List<String> search = List.of();
    int ndots = NDOTS_DEFAULT;
    boolean isRotating = false;
    for (String line : text.split("\n", -1)) {
      // Comments only start at the beginning of a line, not after a value.
      String[] words = SPACE.split(line.strip());
      if (words.length < 2 || line.startsWith("#") || line.startsWith(";")) {
        continue;
      }
      switch (words[0]) {
        case "nameserver" -> addServer(servers, words[1]);
        // The last of these lines wins.
        case "domain" -> search = domains(words, 2);
        case "search" -> search = domains(words, words.length);
        case "options" -> {
          for (String option : words) {
            ndots = option.startsWith(NDOTS) ? ndots(option, ndots) : ndots;
            isRotating |= option.equals("rotate");
          }
        }
        default -> {}
      }
    }
    return new ResolvConf(servers, search, ndots, isRotating);
  }

  /** Returns a copy with this server only. */
  ResolvConf withServer(InetSocketAddress server) {
    return new ResolvConf(List.of(server), search, ndots, isRotating);
  }

  /** Adds a server, if its address is a literal; IPv6 link-local addresses may have a zone. */
  private static void addServer(List<InetSocketAddress> servers, String address) {
    if (servers.size() < SERVERS_MAX) {
      try {
        servers.add(new InetSocketAddress(InetAddress.ofLiteral(address), PORT));
      } catch (IllegalArgumentException notAnAddress) {
        // Skipped: there is no server yet that could resolve a name.
      }
    }
  }

  private static List<String> domains(String[] words, int end) {
    return List.of(words).subList(1, Math.min(end, SEARCH_MAX + 1)).stream()
        .filter(domain -> !domain.equals("."))
        .toList();
  }

  private static int ndots(String option, int fallback) {
    String digits = option.substring(NDOTS.length());
    boolean isNumber = !digits.isEmpty() && digits.chars().allMatch(c -> c >= '0' && c <= '9');
    return !isNumber
        ? fallback
        : digits.length() > 2 ? NDOTS_MAX : Math.min(NDOTS_MAX, Integer.parseInt(digits));
  }
}
