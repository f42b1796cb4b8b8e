package dev.waymark.admin;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.waymark.admin.Route.Refusal;
import dev.waymark.admin.Route.Request;
import dev.waymark.core.Check;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.net.URLDecoder;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A small HTTP server for operators: a table of routes, bounded in threads, connections, and the
 * size and time of a request. Thread-safe. A request that is too slow, too large or no HTTP costs
 * its own connection and at most one of the threads meanwhile.
 */
public final class HttpPort {
  /** Requests at once; a connection beyond them is closed. Threads end when they are not needed. */
  private static final int THREADS_MAX = 32;

  private static final long THREAD_IDLE_SECONDS = 10;
  private static final int BACKLOG = 128;
  private static final AtomicInteger THREAD_IDS = new AtomicInteger();

  /** The JDK's server reads its limits once, from properties; what the operator has set stays. */
  private static final Map<String, String> LIMITS =
      Map.of(
          "sun.net.httpserver.maxReqTime", "5",
          "sun.net.httpserver.maxRspTime", "30",
          "sun.net.httpserver.idleInterval", "30",
          "sun.net.httpserver.maxIdleConnections", "64",
          "sun.net.httpserver.maxReqHeaders", "64",
          "sun.net.httpserver.maxReqHeaderSize", "16384",
          "jdk.httpserver.maxConnections", "256");

  static {
    Map<Object, Object> properties = System.getProperties();
    LIMITS.forEach(properties::putIfAbsent);
  }

  private final InetSocketAddress wanted;
  private final Map<String, Route> routes = new TreeMap<>();
  private final EventLog log;
  private @Nullable HttpServer server;
  private @Nullable ThreadPoolExecutor threads;

  /** A port that is not open yet. `/` is its index unless a route says otherwise. */
  public HttpPort(InetSocketAddress address, List<Route> routes, EventLog log) {
    this.wanted = address;
    this.log = log;
    routes.forEach(route -> this.routes.put(route.path(), route));
    this.routes.putIfAbsent("/", Route.get("/", "this text", _ -> index()));
  }

  /**
   * Opens it.
   *
   * @throws AddressInUse where the address cannot be had
   */
  public void start() {
    Check.that(server == null, "a port is started once");
    if (wanted.isUnresolved()) {
      throw new AddressInUse(wanted, "unknown host");
    }
    HttpServer opened;
    try {
      opened = HttpServer.create(wanted, BACKLOG);
    } catch (SocketException e) {
      throw new AddressInUse(wanted, String.valueOf(e.getMessage()));
    } catch (IOException e) {
      throw new AddressInUse(wanted, e.toString());
    }
    threads =
        new ThreadPoolExecutor(
            0,
            THREADS_MAX,
            THREAD_IDLE_SECONDS,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            HttpPort::thread);
    opened.setExecutor(threads);
    opened.createContext("/", this::handle);
    opened.start();
    server = opened;
  }

  /** The address it listens on; the port is real where 0 was asked for. */
  public InetSocketAddress address() {
    return server == null ? wanted : server.getAddress();
  }

  /** Closes the port and what is connected to it. */
  public void stop() {
    if (server != null && threads != null) {
      server.stop(0);
      threads.shutdownNow();
    }
  }

  private static Thread thread(Runnable work) {
    return Thread.ofPlatform()
        .daemon()
        .name("admin-" + THREAD_IDS.incrementAndGet())
        .unstarted(work);
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      String method = exchange.getRequestMethod();
      Route route = routes.get(String.valueOf(exchange.getRequestURI().getPath()));
      Reply reply = reply(exchange, method, route);
      Headers headers = exchange.getResponseHeaders();
      headers.set("Content-Type", reply.contentType());
      headers.set("Cache-Control", "no-store");
      headers.set("X-Content-Type-Options", "nosniff");
      if (hasBody(exchange)) { // it may not have been read to its end
        headers.set("Connection", "close");
      }
      if (method.equals("HEAD")) {
        headers.set("Content-Length", Integer.toString(reply.body().length));
        exchange.sendResponseHeaders(reply.status(), -1);
        return;
      }
      exchange.sendResponseHeaders(reply.status(), reply.body().length);
      try (OutputStream out = exchange.getResponseBody()) {
        out.write(reply.body());
      }
    }
  }

  private Reply reply(HttpExchange exchange, String method, @Nullable Route route) {
    if (route == null) {
      return Reply.error(404, "no such path; GET / lists them");
    }
    TreeSet<String> allowed = new TreeSet<>(route.methods());
    if (allowed.contains("GET")) {
      allowed.add("HEAD");
    }
    if (!allowed.contains(method)) {
      exchange.getResponseHeaders().set("Allow", String.join(", ", allowed));
      return Reply.error(405, "this path allows " + String.join(", ", allowed));
    }
    Map<String, String> query;
    try {
      query = query(exchange.getRequestURI().getRawQuery());
    } catch (IllegalArgumentException e) {
      return Reply.error(400, "the query is not URL-encoded");
    }
    try {
      return route.answer().to(new Request(method, query, body(exchange, route)));
    } catch (Refusal refusal) {
      return Reply.error(refusal.status(), String.valueOf(refusal.getMessage()));
    } catch (IOException e) {
      return Reply.error(400, "the body did not come whole");
    } catch (RuntimeException bug) {
      log.write(Event.BUG, "where", "admin", "path", route.path(), "error", bug);
      return Reply.error(500, "internal error; see the log");
    }
  }

  private static byte[] body(HttpExchange exchange, Route route) throws IOException, Refusal {
    if (route.bodyBytesMax() == 0) {
      return new byte[0];
    }
    byte[] body = exchange.getRequestBody().readNBytes(route.bodyBytesMax() + 1);
    if (body.length > route.bodyBytesMax()) {
      throw new Refusal(413, "at most " + route.bodyBytesMax() + " bytes are taken at once");
    }
    return body;
  }

  private static boolean hasBody(HttpExchange exchange) {
    Headers headers = exchange.getRequestHeaders();
    String length = headers.getFirst("Content-Length");
    return headers.containsKey("Transfer-Encoding") || length != null && !length.equals("0");
  }

  private static Map<String, String> query(@Nullable String raw) {
    Map<String, String> query = new HashMap<>();
    for (String pair : raw == null || raw.isEmpty() ? new String[0] : raw.split("&", -1)) {
      int at = pair.indexOf('=');
      String key = at < 0 ? pair : pair.substring(0, at);
      String value = at < 0 ? "" : pair.substring(at + 1);
      query.put(URLDecoder.decode(key, UTF_8), URLDecoder.decode(value, UTF_8));
    }
    return query;
  }

  private Reply index() {
    StringBuilder text = new StringBuilder();
    routes.values().stream()
        .sorted(Comparator.comparing(Route::path))
        .forEach(route ->
            text.append(
                "%-12s %-14s %s\n"
                    .formatted(
                        String.join(",", new TreeSet<>(route.methods())),
                        route.path(),
                        route.summary())));
    return Reply.text(text.toString());
  }
}
