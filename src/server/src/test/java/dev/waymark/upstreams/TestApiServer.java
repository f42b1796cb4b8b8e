package dev.waymark.upstreams;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import dev.waymark.config.HostPort;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The EndpointSlices of service {@code echo} in namespace {@code shop}, on a free loopback port,
 * with versions, pages and watches as an API server of Kubernetes has them. Settings may change at
 * any time. Thread-safe.
 */
final class TestApiServer implements AutoCloseable {
  private static final String PATH = "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices";
  private static final String SELECTOR = "kubernetes.io/service-name=echo";

  /** Ends a watch as at its time-out. */
  private static final String END = "end";

  /** Resets the connection of a watch. */
  private static final String BREAK = "break";

  private record Change(int version, String line) {}

  /** The queries of all requests, decoded, without the label selector. */
  final List<Map<String, String>> lists = new CopyOnWriteArrayList<>();

  final List<Map<String, String>> watches = new CopyOnWriteArrayList<>();

  /** The {@code Authorization} of each request; empty if there was none. */
  final List<String> credentials = new CopyOnWriteArrayList<>();

  /** What every request is answered with; 200 if it is served. */
  volatile int status = 200;

  /** What a watch is answered with. */
  volatile int watchStatus = 200;

  /** Slices on a page. */
  volatile int pageSize = 500;

  /** The only credentials that are accepted; empty: any. */
  volatile String wanted = "";

  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Map<String, String> slices = new LinkedHashMap<>();
  private final List<Change> history = new ArrayList<>();
  private final List<BlockingQueue<String>> open = new CopyOnWriteArrayList<>();
  private int version = 100;
  private int oldestVersion;

  TestApiServer() {
    this(null, null);
  }

  /** One that speaks TLS. */
  TestApiServer(@Nullable Path certificate, @Nullable Path key) {
    InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    try {
      if (certificate == null || key == null) {
        server = HttpServer.create(address, 0);
      } else {
        HttpsServer secure = HttpsServer.create(address, 0);
        JdkSslContext tls =
            (JdkSslContext)
                SslContextBuilder.forServer(certificate.toFile(), key.toFile())
                    .sslProvider(SslProvider.JDK)
                    .build();
        secure.setHttpsConfigurator(new HttpsConfigurator(tls.context()));
        server = secure;
      }
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
    server.setExecutor(threads);
    server.createContext("/", this::handle);
    server.start();
  }

  HostPort address() {
    return new HostPort("127.0.0.1", server.getAddress().getPort());
  }

  // --- inputs ---

  /** Adds or modifies a slice with these IPv4 addresses, all ready, at port {@code grpc}. */
  void put(String name, String... addresses) {
    putEndpoints(
        name,
        Stream.of(addresses)
            .map(ip -> "{\"addresses\": [\"" + ip + "\"], \"conditions\": {\"ready\": true}}")
            .toArray(String[]::new));
  }

  /** Adds or modifies a slice with these endpoints. */
  synchronized void putEndpoints(String name, String... endpoints) {
    version++;
    String slice =
        "{\"metadata\": {\"name\": \"%s\", \"resourceVersion\": \"%d\"}, \"addressType\": \"IPv4\", \"endpoints\": [%s], \"ports\": [{\"name\": \"grpc\", \"port\": 9}]}"
            .formatted(name, version, String.join(", ", endpoints));
    boolean isNew = slices.put(name, slice) == null;
    change(isNew ? "ADDED" : "MODIFIED", slice);
  }

  synchronized void delete(String name) {
    version++;
    String gone = slices.remove(name);
    change(
        "DELETED",
        String.valueOf(gone)
            .replaceFirst("resourceVersion\": \"\\d+", "resourceVersion\": \"" + version));
  }

  private void change(String type, String object) {
    Change change = new Change(version, "{\"type\": \"" + type + "\", \"object\": " + object + "}");
    history.add(change);
    send(change.line);
  }

  /** Tells watchers that they are up to date, although there were changes elsewhere. */
  synchronized int bookmark() {
    version += 10;
    send(
        "{\"type\": \"BOOKMARK\", \"object\": {\"kind\": \"EndpointSlice\", \"metadata\": {\"resourceVersion\": \"%d\"}}}"
            .formatted(version));
    return version;
  }

  /** Forgets everything up to now, so that nobody can resume from there. */
  synchronized void compact() {
    version++;
    oldestVersion = version;
    history.clear();
  }

  /** Writes a line to all watches. */
  void send(String line) {
    open.forEach(watch -> watch.add(line));
  }

  /** Tells all watchers that their version is too old. */
  void expireWatches() {
    send(expired());
    endWatches();
  }

  void endWatches() {
    send(END);
  }

  void breakWatches() {
    send(BREAK);
  }

  int openWatches() {
    return open.size();
  }

  @Override
  public void close() {
    breakWatches();
    server.stop(0);
    threads.shutdownNow();
  }

  // --- requests ---

  private void handle(HttpExchange exchange) throws IOException {
    Map<String, String> query = new HashMap<>();
    for (String pair : exchange.getRequestURI().getRawQuery().split("&")) {
      query.put(
          pair.substring(0, pair.indexOf('=')),
          URLDecoder.decode(pair.substring(pair.indexOf('=') + 1), UTF_8));
    }
    boolean isOurs =
        exchange.getRequestURI().getPath().equals(PATH)
            && SELECTOR.equals(query.remove("labelSelector"));
    String given = exchange.getRequestHeaders().getFirst("Authorization");
    credentials.add(given == null ? "" : given);
    boolean isWatch = query.containsKey("watch");
    (isWatch ? watches : lists).add(query);
    int answer = !isOurs ? 404 : isWatch && status == 200 ? watchStatus : status;
    if (!wanted.isEmpty() && !wanted.equals(given)) {
      answer = 401;
    }
    if (answer != 200) {
      answer(exchange, answer, statusOf(answer, "because of the test"));
    } else if (isWatch) {
      watch(exchange, Integer.parseInt(query.get("resourceVersion")));
    } else {
      answer(exchange, 200, page(query));
    }
  }

  private static void answer(HttpExchange exchange, int status, String body) throws IOException {
    byte[] bytes = body.getBytes(UTF_8);
    exchange.getResponseHeaders().add("Content-Type", "application/json");
    exchange.sendResponseHeaders(status, bytes.length);
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(bytes);
    }
  }

  private synchronized String page(Map<String, String> query) {
    int from = Integer.parseInt(query.getOrDefault("continue", "0"));
    int to = Math.min(slices.size(), from + pageSize);
    String next = to < slices.size() ? ", \"continue\": \"" + to + "\"" : "";
    return "{\"kind\": \"EndpointSliceList\", \"metadata\": {\"resourceVersion\": \"%d\"%s}, \"items\": [%s]}"
        .formatted(
            version,
            next,
            slices.values().stream().skip(from).limit(to - from).collect(Collectors.joining(",")));
  }

  private void watch(HttpExchange exchange, int since) throws IOException {
    BlockingQueue<String> lines = new LinkedBlockingQueue<>();
    synchronized (this) {
      if (since < oldestVersion) {
        lines.add(expired());
        lines.add(END);
      }
      history.stream().filter(c -> c.version > since).forEach(c -> lines.add(c.line));
      open.add(lines);
    }
    try {
      exchange.sendResponseHeaders(200, 0);
      OutputStream out = exchange.getResponseBody();
      out.flush();
      for (String line = lines.take(); !line.equals(END); line = lines.take()) {
        if (line.equals(BREAK)) {
          // Of an exception, the server closes the connection.
          throw new IOException("broken by the test");
        }
        // In two pieces, because the network does not care about lines.
        byte[] bytes = (line + "\n").getBytes(UTF_8);
        int half = bytes.length / 2;
        out.write(bytes, 0, half);
        out.flush();
        out.write(bytes, half, bytes.length - half);
        out.flush();
      }
      exchange.close();
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
    } finally {
      open.remove(lines);
    }
  }

  private static String expired() {
    return "{\"type\": \"ERROR\", \"object\": " + statusOf(410, "too old resource version") + "}";
  }

  private static String statusOf(int code, String message) {
    return "{\"kind\": \"Status\", \"apiVersion\": \"v1\", \"status\": \"Failure\", \"message\": \"%s\", \"code\": %d}"
        .formatted(message, code);
  }
}
