package dev.waymark.api.http;

import dev.waymark.api.http.Route.Refusal;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.util.NetUtil;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Protects an HTTP port against requests from web pages. Immutable.
 *
 * <p>A page of {@code evil.example} can have its name resolve to 127.0.0.1 (DNS rebinding); its
 * requests then carry that name as Host. So only those Hosts are served that no such page can have:
 * an IP address, {@code localhost} or a name below it, a name without a dot, or a name that the
 * operator listed. Requests that a browser sends across sites carry Origin or Sec-Fetch-Site, and
 * are refused.
 */
final class HttpGuard {
  /** RFC 1035, 2.3.4. */
  private static final int LABEL_CHARS_MAX = 63;

  /**
   * {@code host:port} (RFC 9110, section 7.2). Matches the whole text: ignoring what follows a host
   * would accept names that merely begin with a permitted one.
   */
  private static final Pattern AUTHORITY =
      Pattern.compile(
          "(\\[(?<address>[0-9A-Fa-f:.]+(%[A-Za-z0-9._~%-]+)?)]|(?<name>[^\\[\\]:/?#@,\\s]+))(:(?<port>[0-9]{0,5}))?");

  private static final String LOCALHOST = "localhost";
  private static final String ANY_BELOW = "*.";
  private static final Set<String> FOREIGN_SITES = Set.of("cross-site", "same-site");

  private final Set<String> names;

  /**
   * @param names served in addition to the built-in ones; {@code *.example.com} is every name below
   *     example.com
   */
  HttpGuard(Collection<String> names) {
    this.names = names.stream().map(HttpGuard::normal).collect(Collectors.toUnmodifiableSet());
  }

  /**
   * Passes a request, or refuses it.
   *
   * @param target the authority in the request line; null if it has none
   * @param isTls whether the port speaks TLS
   */
  void check(HttpVersion version, HttpHeaders headers, @Nullable String target, boolean isTls)
      throws Refusal {
    List<String> hosts = headers.getAll(HttpHeaderNames.HOST);
    if (hosts.size() > 1) {
      throw new Refusal(400, "more than one Host header");
    }
    // Old probes send HTTP/1.0 without a Host; browsers never do.
    if (hosts.isEmpty() && !version.equals(HttpVersion.HTTP_1_0)) {
      throw new Refusal(400, "the Host header is missing");
    }
    for (String host : hosts) {
      checkHost(host);
    }
    if (target != null) {
      checkHost(target);
    }
    checkSite(headers, hosts.isEmpty() ? "" : hosts.getFirst(), isTls);
  }

  private void checkHost(String authority) throws Refusal {
    Matcher matcher = AUTHORITY.matcher(authority.strip());
    if (!matcher.matches()) {
      throw new Refusal(400, "the Host header is not host or host:port");
    }
    String host = host(matcher);
    if (!isServed(host)) {
      throw new Refusal(
          421,
          String.format(
              Locale.ROOT,
              "the Host '%s' is not served here; use an IP address or localhost, or add the name to admin.hosts",
              shortened(host)));
    }
  }

  private boolean isServed(String host) {
    return NetUtil.isValidIpV4Address(host)
        || NetUtil.isValidIpV6Address(host)
        || host.endsWith("." + LOCALHOST)
        || isSingleLabel(host)
        || names.contains(host)
        || isBelowListed(host);
  }

  /** Whether this is localhost, or a container or host name that only the local network knows. */
  private static boolean isSingleLabel(String host) {
    return host.length() <= LABEL_CHARS_MAX
        && host.chars().allMatch(c -> isAsciiLetterOrDigit(c) || c == '-' || c == '_');
  }

  private static boolean isAsciiLetterOrDigit(int c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  }

  private boolean isBelowListed(String host) {
    for (int dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
      if (dot > 0 && names.contains(ANY_BELOW + host.substring(dot + 1))) {
        return true;
      }
    }
    return false;
  }

  private static void checkSite(HttpHeaders headers, String host, boolean isTls) throws Refusal {
    String site = headers.get("Sec-Fetch-Site");
    if (site != null && FOREIGN_SITES.contains(site.toLowerCase(Locale.ROOT))) {
      throw new Refusal(
          403, "requests from pages of other sites are refused; open the address itself");
    }
    for (String origin : headers.getAll(HttpHeaderNames.ORIGIN)) {
      if (!isSame(origin.toLowerCase(Locale.ROOT), host, isTls)) {
        throw new Refusal(
            403, "requests from pages of other sites are refused: Origin " + shortened(origin));
      }
    }
  }

  /**
   * Plain HTTP behind a proxy may be https for the browser, but TLS is never http: anybody on the
   * path could have sent such a page.
   */
  private static boolean isSame(String origin, String host, boolean isTls) {
    String http = "http://";
    String https = "https://";
    return (!isTls
            && origin.startsWith(http)
            && withPort(origin.substring(http.length()), 80).equals(withPort(host, 80)))
        || (origin.startsWith(https)
            && withPort(origin.substring(https.length()), 443).equals(withPort(host, 443)));
  }

  private static String withPort(String authority, int port) {
    Matcher matcher = AUTHORITY.matcher(authority.strip());
    if (!matcher.matches()) {
      return "";
    }
    String given = matcher.group("port");
    return host(matcher) + ":" + (given == null || given.isEmpty() ? port : given);
  }

  /** The host without port and brackets, and a name in lower case. */
  private static String host(Matcher authority) {
    String address = authority.group("address");
    return address == null ? normal(authority.group("name")) : address;
  }

  private static String normal(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    return lower.endsWith(".") ? lower.substring(0, lower.length() - 1) : lower;
  }

  private static String shortened(String text) {
    return text.length() > 100 ? text.substring(0, 100) + "…" : text;
  }
}
