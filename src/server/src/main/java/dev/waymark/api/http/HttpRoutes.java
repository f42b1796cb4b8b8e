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

/** Finds the route of a request by its head, or refuses the request. Immutable. */
final class HttpRoutes {
  /** The route that a head matched, with its method and query. */
  record Match(Route route, String method, Map<String, String> query) {}

  private static final int PARAMETERS_MAX = 32;

  /** A request target in absolute form (RFC 9112, 3.2.2), as clients send it to proxies. */
  private static final Pattern ABSOLUTE = Pattern.compile("(?i)https?://([^/?]*)(.*)");

  private final Map<String, Route> routes = new TreeMap<>();
  private final HttpGuard guard;

  /** Creates the table. {@code /} is an index of the routes unless one of them has that path. */
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
    return String.format(Locale.ROOT, "%-12s %-18s %s\n", methods, path, summary);
  }

  /**
   * Returns the target of a request: its path and query.
   *
   * @throws Refusal if the head is malformed, or the guard refuses it
   */
  String target(HttpRequest head, boolean isTls) throws Refusal {
    checkReadable(head);
    Matcher absolute = ABSOLUTE.matcher(head.uri());
    boolean isAbsolute = absolute.matches();
    guard.check(
        head.protocolVersion(), head.headers(), isAbsolute ? absolute.group(1) : null, isTls);
    return isAbsolute ? absolute.group(2) : head.uri();
  }

  /** Whether everybody gets an answer. Nobody else learns which targets there are. */
  boolean isOpen(String target) {
    try {
      return route(decoder(target)).isOpen();
    } catch (Refusal none) {
      return false;
    }
  }

  /**
   * Returns the route of a request.
   *
   * @throws Refusal if no route matches
   */
  Match match(HttpRequest head, String text) throws Refusal {
    QueryStringDecoder target = decoder(text);
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
      throw new Refusal(505, "only HTTP/1.1 and HTTP/1.0 are supported");
    }
  }

  private static QueryStringDecoder decoder(String text) {
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
      throw new Refusal(417, "the only supported expectation is 100-continue");
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
    return new Refusal(413, "the body may have at most " + route.bodyBytesMax() + " bytes");
  }

  /** Whether the head announces a body. */
  static boolean hasBody(HttpRequest head) {
    @Nullable String length = head.headers().get(HttpHeaderNames.CONTENT_LENGTH);
    return HttpUtil.isTransferEncodingChunked(head) || (length != null && !length.equals("0"));
  }
}
