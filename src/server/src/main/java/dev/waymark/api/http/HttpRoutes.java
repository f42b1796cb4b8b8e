package dev.waymark.api.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.waymark.api.http.Route.Refusal;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Finds the route of a request by its head, or says why there is none. Immutable. */
final class HttpRoutes {
  /** What a head asks for. */
  record Match(Route route, String method, Map<String, String> query) {}

  private static final int PARAMETERS_MAX = 32;

  /** A request line with a whole URL in it, as proxies are sent. */
  private static final Pattern ABSOLUTE = Pattern.compile("(?i)https?://([^/?]*)(.*)");

  private final Map<String, Route> routes = new TreeMap<>();
  private final HttpGuard guard;

  /** {@code /} is the index unless a route says otherwise. */
  HttpRoutes(Collection<Route> all, HttpGuard guard) {
    this.guard = guard;
    all.forEach(route -> routes.put(route.path(), route));
    Reply index = Reply.text(index(all));
    routes.putIfAbsent("/", Route.get("/", INDEX, _ -> index));
  }

  private static final String INDEX = "this text";

  private static String index(Collection<Route> all) {
    Map<String, String> lines = new TreeMap<>();
    lines.put("/", line("GET", "/", INDEX));
    for (Route route : all) {
      String methods = String.join(",", new TreeSet<>(route.methods()));
      lines.put(route.path(), line(methods, route.path(), route.summary()));
    }
    return String.join("", lines.values());
  }

  private static String line(String methods, String path, String summary) {
    return String.format(Locale.ROOT, "%-12s %-14s %s\n", methods, path, summary);
  }

  /**
   * The route of this head.
   *
   * @throws Refusal where it cannot be read, comes from where it should not, or fits no route
   */
  Match match(HttpRequest head) throws Refusal {
    checkReadable(head);
    Matcher absolute = ABSOLUTE.matcher(head.uri());
    boolean isAbsolute = absolute.matches();
    guard.check(head.protocolVersion(), head.headers(), isAbsolute ? absolute.group(1) : null);
    QueryStringDecoder target = target(isAbsolute ? absolute.group(2) : head.uri());
    Route route = route(target);
    String method = head.method().name();
    if (!route.allowed().contains(method)) {
      throw Refusal.method(route.allowed());
    }
    checkLength(head, route);
    return new Match(route, method, query(target, route));
  }

  private static void checkReadable(HttpRequest head) throws Refusal {
    Throwable failure = head.decoderResult().cause();
    if (failure instanceof TooLongHttpLineException) {
      throw new Refusal(414, "the request line is too long");
    }
    if (failure instanceof TooLongHttpHeaderException) {
      throw new Refusal(431, "the headers are too long");
    }
    if (failure != null) {
      throw new Refusal(400, "this is not an HTTP request");
    }
    HttpVersion version = head.protocolVersion();
    if (!version.equals(HttpVersion.HTTP_1_1) && !version.equals(HttpVersion.HTTP_1_0)) {
      throw new Refusal(505, "HTTP/1.1 and HTTP/1.0 are spoken here");
    }
  }

  private static QueryStringDecoder target(String text) {
    return new QueryStringDecoder(text, UTF_8, true, PARAMETERS_MAX, true);
  }

  private Route route(QueryStringDecoder target) throws Refusal {
    try {
      Route route = routes.get(target.path());
      if (route != null) {
        return route;
      }
    } catch (IllegalArgumentException malformed) {
      throw new Refusal(400, "the path is not URL-encoded");
    }
    throw new Refusal(404, "no such path; GET / lists them");
  }

  private static Map<String, String> query(QueryStringDecoder target, Route route) throws Refusal {
    Map<String, List<String>> given;
    try {
      given = target.parameters();
    } catch (IllegalArgumentException malformed) {
      throw new Refusal(400, "the query is not URL-encoded");
    }
    Map<String, String> query = new LinkedHashMap<>();
    for (Map.Entry<String, List<String>> parameter : given.entrySet()) {
      if (!route.parameters().contains(parameter.getKey())) {
        throw new Refusal(400, unknown(parameter.getKey(), route));
      }
      if (parameter.getValue().size() > 1) {
        throw new Refusal(400, "?" + parameter.getKey() + " is given more than once");
      }
      query.put(parameter.getKey(), parameter.getValue().getFirst());
    }
    return query;
  }

  private static String unknown(String key, Route route) {
    String shown = key.length() > 100 ? key.substring(0, 100) + "…" : key;
    return String.format(
        Locale.ROOT,
        "unknown parameter '%s'; %s takes %s",
        shown,
        route.path(),
        route.parameters().isEmpty()
            ? "none"
            : String.join(", ", new TreeSet<>(route.parameters())));
  }

  private static void checkLength(HttpRequest head, Route route) throws Refusal {
    String expectation = head.headers().get(HttpHeaderNames.EXPECT);
    if (expectation != null && !HttpUtil.is100ContinueExpected(head)) {
      throw new Refusal(417, "only 100-continue can be expected");
    }
    if (route.bodyBytesMax() > 0 && contentLength(head) > route.bodyBytesMax()) {
      throw tooLarge(route);
    }
  }

  private static long contentLength(HttpRequest head) throws Refusal {
    try {
      return HttpUtil.getContentLength(head, 0L);
    } catch (NumberFormatException malformed) {
      throw new Refusal(400, "Content-Length is not a number");
    }
  }

  static Refusal tooLarge(Route route) {
    return new Refusal(413, "at most " + route.bodyBytesMax() + " bytes are taken at once");
  }

  /** Whether a body follows this head, as far as it says. */
  static boolean hasBody(HttpRequest head) {
    @Nullable String length = head.headers().get(HttpHeaderNames.CONTENT_LENGTH);
    return HttpUtil.isTransferEncodingChunked(head) || (length != null && !length.equals("0"));
  }
}
