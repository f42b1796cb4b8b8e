package dev.waymark.upstreams;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Which name servers to ask and how to complete a name: resolv.conf(5), as far as it is of use
 * here. Immutable.
 *
 * @param servers in the order in which to ask them; empty: nobody may be asked
 * @param search domains to try behind a name
 * @param ndots a name with as many dots is tried as it is first
 * @param isRotating the order of the servers is another for each question
 */
record ResolvConf(
    List<InetSocketAddress> servers, List<String> search, int ndots, boolean isRotating) {
  /** More are ignored, as the C library does (MAXNS). */
  static final int SERVERS_MAX = 3;

  /** More are ignored; the C library has had no limit since 2.26, and 6 before. */
  static final int SEARCH_MAX = 6;

  /** A higher one is taken for this one, as the C library does. */
  static final int NDOTS_MAX = 15;

  private static final int PORT = 53;
  private static final int NDOTS_DEFAULT = 1;
  private static final Pattern SPACE = Pattern.compile("\\s+");
  private static final String NDOTS = "ndots:";

  /** Of a file that is not there. */
  static final ResolvConf NONE = new ResolvConf(List.of(), List.of(), NDOTS_DEFAULT, false);

  ResolvConf {
    servers = List.copyOf(servers);
    search = List.copyOf(search);
  }

  /** The meaning of a file; lines that cannot be understood are skipped. */
  static ResolvConf parse(String text) {
    List<InetSocketAddress> servers = new ArrayList<>();
    List<String> search = List.of();
    int ndots = NDOTS_DEFAULT;
    boolean isRotating = false;
    for (String line : text.split("\n", -1)) {
      // A comment starts with the line: what follows a value is not one.
      String[] words = SPACE.split(line.strip());
      if (words.length < 2 || line.startsWith("#") || line.startsWith(";")) {
        continue;
      }
      switch (words[0]) {
        case "nameserver" -> addServer(servers, words[1]);
        // The last of these lines holds.
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

  /** The same, but others are asked. */
  ResolvConf withServer(InetSocketAddress server) {
    return new ResolvConf(List.of(server), search, ndots, isRotating);
  }

  /** Of IPv6 addresses of a link with their zone. */
  private static void addServer(List<InetSocketAddress> servers, String address) {
    if (servers.size() < SERVERS_MAX) {
      try {
        servers.add(new InetSocketAddress(InetAddress.ofLiteral(address), PORT));
      } catch (IllegalArgumentException notAnAddress) {
        // Skipped: a name cannot be asked for the address of the server to ask.
      }
    }
  }

  private static List<String> domains(String[] words, int end) {
    return List.of(words).subList(1, Math.min(end, SEARCH_MAX + 1)).stream()
        .filter(domain -> !domain.equals("."))
        .toList();
  }

  private static int ndots(String option, int otherwise) {
    String digits = option.substring(NDOTS.length());
    boolean isNumber = !digits.isEmpty() && digits.chars().allMatch(c -> c >= '0' && c <= '9');
    return !isNumber
        ? otherwise
        : digits.length() > 2 ? NDOTS_MAX : Math.min(NDOTS_MAX, Integer.parseInt(digits));
  }
}
