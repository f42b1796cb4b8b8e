package dev.waymark.upstream.stub;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.waymark.core.CloseReason;
import dev.waymark.upstream.Connection;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/**
 * The stub's admin port: what is connected, and how to make the stub misbehave. Answers are JSON.
 * Thread-safe.
 */
public final class StubAdmin implements AutoCloseable {
  private static final int THREADS = 4;
  private static final int BODY_BYTES_MAX = 1024 * 1024;

  /** An answer that is no success; the message is for people. */
  private static final class Refusal extends Exception {
    private static final long serialVersionUID = 1L;
    private final int status;

    Refusal(int status, String message) {
      super(message, null, false, false);
      this.status = status;
    }
  }

  private interface Action {
    JsonObject answer(HttpExchange exchange, Map<String, String> query) throws IOException, Refusal;
  }

  private final StubServer stub;
  private final HttpServer http;
  private final ExecutorService executor;

  private StubAdmin(InetSocketAddress address, StubServer stub) throws IOException {
    this.stub = stub;
    http = HttpServer.create(address, 0);
    executor =
        Executors.newFixedThreadPool(
            THREADS, Thread.ofPlatform().daemon().name("stub-admin-", 0).factory());
    http.setExecutor(executor);
    serve("GET", "/healthz", (_, _) -> ok());
    serve("GET", "/connections", (_, _) -> connections());
    serve("POST", "/health", (_, query) -> health(query));
    serve("POST", "/drain", (_, _) -> drain());
    serve("POST", "/send", this::send);
    serve("POST", "/close", (_, query) -> close(query));
    http.start();
  }

  /**
   * Listens; port 0 takes a free one.
   *
   * @throws IOException if the address cannot be bound
   */
  public static StubAdmin start(InetSocketAddress address, StubServer stub) throws IOException {
    return new StubAdmin(address, stub);
  }

  /** Where it listens. */
  public InetSocketAddress address() {
    return http.getAddress();
  }

  @Override
  public void close() {
    http.stop(0);
    executor.shutdownNow();
  }

  // --- actions ---

  private JsonObject connections() {
    JsonArray open = new JsonArray();
    for (Connection connection : stub.connections()) {
      JsonObject one = new JsonObject();
      one.addProperty("mark", connection.mark());
      one.addProperty("client", connection.open().clientAddress());
      one.addProperty("bytes", connection.receivedOffset());
      open.add(one);
    }
    JsonObject answer = new JsonObject();
    answer.add("connections", open);
    return answer;
  }

  private JsonObject health(Map<String, String> query) throws Refusal {
    String status = demand(query, "status");
    boolean isServing =
        switch (status) {
          case "SERVING" -> true;
          case "NOT_SERVING" -> false;
          default ->
              throw new Refusal(400, "status is SERVING or NOT_SERVING, not '" + status + "'");
        };
    stub.setServing(isServing);
    return ok();
  }

  private JsonObject drain() {
    stub.drain();
    return ok();
  }

  private JsonObject send(HttpExchange exchange, Map<String, String> query)
      throws IOException, Refusal {
    Connection connection = demandConnection(query);
    byte[] body = exchange.getRequestBody().readNBytes(BODY_BYTES_MAX + 1);
    if (body.length > BODY_BYTES_MAX) {
      throw new Refusal(413, "at most " + BODY_BYTES_MAX + " bytes can be sent at once");
    }
    try {
      connection.send(Unpooled.wrappedBuffer(body));
    } catch (IllegalStateException refused) {
      throw new Refusal(409, String.valueOf(refused.getMessage()));
    }
    return ok();
  }

  private JsonObject close(Map<String, String> query) throws Refusal {
    Connection connection = demandConnection(query);
    String code = query.getOrDefault("code", CloseReason.DONE.name());
    for (CloseReason reason : CloseReason.values()) {
      if (reason.name().equals(code)) {
        connection.close(reason);
        return ok();
      }
    }
    throw new Refusal(
        400, "code is one of " + Arrays.toString(CloseReason.values()) + ", not '" + code + "'");
  }

  private Connection demandConnection(Map<String, String> query) throws Refusal {
    String mark = demand(query, "mark");
    Connection connection = stub.connection(mark);
    if (connection == null) {
      throw new Refusal(
          404, "no connection with mark '" + mark + "' is attached; see /connections");
    }
    return connection;
  }

  private static String demand(Map<String, String> query, String key) throws Refusal {
    String value = query.get(key);
    if (value == null) {
      throw new Refusal(400, "?" + key + "=… is missing");
    }
    return value;
  }

  private static JsonObject ok() {
    JsonObject answer = new JsonObject();
    answer.addProperty("status", "ok");
    return answer;
  }

  // --- HTTP ---

  private void serve(String method, String path, Action action) {
    http.createContext(
        path,
        exchange -> {
          try (exchange) {
            answer(exchange, method, path, action);
          }
        });
  }

  private static void answer(HttpExchange exchange, String method, String path, Action action)
      throws IOException {
    try {
      if (!exchange.getRequestURI().getPath().equals(path)) {
        throw new Refusal(404, "nothing is here");
      }
      if (!exchange.getRequestMethod().equals(method)) {
        exchange.getResponseHeaders().set("Allow", method);
        throw new Refusal(405, path + " takes " + method);
      }
      write(exchange, 200, action.answer(exchange, query(exchange.getRequestURI().getRawQuery())));
    } catch (Refusal refusal) {
      JsonObject answer = new JsonObject();
      answer.addProperty("error", refusal.getMessage());
      write(exchange, refusal.status, answer);
    }
  }

  private static void write(HttpExchange exchange, int status, JsonObject answer)
      throws IOException {
    byte[] body = (answer + "\n").getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(status, body.length);
    exchange.getResponseBody().write(body);
  }

  private static Map<String, String> query(@Nullable String raw) throws Refusal {
    Map<String, String> values = new HashMap<>();
    if (raw == null) {
      return values;
    }
    for (String pair : raw.split("&", -1)) {
      int equals = pair.indexOf('=');
      if (equals > 0) {
        try {
          values.put(
              pair.substring(0, equals),
              URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8));
        } catch (IllegalArgumentException e) {
          throw new Refusal(400, "the query cannot be decoded: " + pair);
        }
      }
    }
    return values;
  }
}
