package dev.waymark.api;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.waymark.api.http.AddressInUse;
import dev.waymark.api.http.HttpPort;
import dev.waymark.api.http.Reply;
import dev.waymark.api.http.Route;
import dev.waymark.api.http.Route.Refusal;
import dev.waymark.config.AdminConfig;
import dev.waymark.config.LogConfig;
import dev.waymark.telemetry.Event;
import dev.waymark.telemetry.EventLog;
import dev.waymark.telemetry.Logging;
import dev.waymark.telemetry.Masking;
import dev.waymark.telemetry.Metrics;
import dev.waymark.telemetry.PrometheusText;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The admin port of a bridge. Thread-safe. It has no authentication: anyone who can reach it may
 * use it, so keep it on loopback.
 */
public final class AdminServer {
  private static final int CONNECTIONS_DEFAULT = 1_000;
  private static final int CONNECTIONS_MAX = 100_000;

  /** Time allowed for the shards to answer a query. */
  private static final long STATE_TIMEOUT_SECONDS = 5;

  /** Connection lists built concurrently: a long one takes tens of megabytes. */
  private static final int CONNECTION_LISTS_MAX = 2;

  /**
   * Responses rendered concurrently: half of the cores, so that the port's event loop, which
   * answers probes, always gets one.
   */
  private static final int RENDERINGS_MAX =
      Math.max(1, Runtime.getRuntime().availableProcessors() / 2);

  private final Operations operations;
  private final Metrics metrics;
  private final EventLog log;
  private final HttpPort port;
  private final Semaphore connectionLists = new Semaphore(CONNECTION_LISTS_MAX);
  private final Semaphore renderings = new Semaphore(RENDERINGS_MAX);

  private record Connections(long total, boolean truncated, List<ConnectionView> connections) {}

  private record Upstreams(List<PoolStatus> pools, List<UpstreamStatus> upstreams) {}

  private record LogLevel(String logger, String level) {}

  /** Creates a server that is not open yet. */
  public AdminServer(AdminConfig config, Operations operations, Metrics metrics, EventLog log) {
    this.operations = operations;
    this.metrics = metrics;
    this.log = log;
    this.port = new HttpPort(config.address(), config.hosts(), routes(), log);
    metrics.counter(
        "waymark_admin_requests_refused_total",
        "Requests to the admin port refused for their Host, or sent by a page of another site.",
        port::refused);
    metrics.counter(
        "waymark_admin_connections_evicted_total",
        "Connections of the admin port closed to make room for others.",
        port::evicted);
  }

  private List<Route> routes() {
    return List.of(
        Route.get("/metrics", "metrics as Prometheus text", _ -> metrics()),
        Route.probe("/healthz", "200 while every event loop turns, else 503", _ -> health()),
        Route.probe("/readyz", "200 while new clients are served, else 503", _ -> readiness()),
        Route.get(
                "/connections",
                "open connections; ?limit=1000",
                request -> connections(request.query()))
            .taking("limit"),
        Route.get(
            "/upstreams", "pools and upstreams, and why one is not serving", _ -> upstreams()),
        Route.get("/config", "configuration in force, secrets masked", _ -> config()),
        Route.get(
                "/log-level",
                "read, or set with level; ?logger=waymark&level=debug",
                request -> logLevel(request.method(), request.query()))
            .allowing("GET", "PUT", "POST")
            .taking("logger", "level"),
        Route.post("/reload", "apply the changes in the file", _ -> reload()));
  }

  /**
   * Opens the port.
   *
   * @throws AddressInUse if the address cannot be bound
   */
  public void start() {
    port.start();
  }

  /** Closes the port and its connections. */
  public void stop() {
    port.stop();
  }

  /** The address that the port listens on. */
  public InetSocketAddress address() {
    return port.address();
  }

  private Reply metrics() {
    return rendered(() -> new Reply(200, PrometheusText.CONTENT_TYPE, metrics.prometheusText()));
  }

  private Reply health() {
    Readiness health = operations.health();
    return health.isReady() ? Reply.text("ok\n") : Reply.json(503, health);
  }

  private Reply readiness() {
    Readiness readiness = operations.readiness();
    return Reply.json(readiness.isReady() ? 200 : 503, readiness);
  }

  private Reply upstreams() throws Refusal {
    Upstreams upstreams = new Upstreams(operations.pools(), answer(operations.upstreams()));
    return rendered(() -> Reply.json(200, upstreams));
  }

  private Reply config() {
    return rendered(
        () -> Reply.json(200, Objects.requireNonNull(Masking.masked(operations.config()))));
  }

  private Reply connections(Map<String, String> query) throws Refusal {
    String asked = query.getOrDefault("limit", Integer.toString(CONNECTIONS_DEFAULT));
    if (!asked.matches("[0-9]{1,6}") || Integer.parseInt(asked) > CONNECTIONS_MAX) {
      throw new Refusal(400, "limit must be a number from 0 to " + CONNECTIONS_MAX);
    }
    if (!connectionLists.tryAcquire()) {
      throw new Refusal(503, "too many connection lists are being built; try again");
    }
    try {
      ConnectionPage page = answer(operations.connections(Integer.parseInt(asked)));
      Connections connections =
          new Connections(
              page.total(), page.connections().size() < page.total(), page.connections());
      return rendered(() -> Reply.json(200, connections));
    } finally {
      connectionLists.release();
    }
  }

  /** Renders once a permit is free. The wait is bounded because no rendering blocks. */
  private Reply rendered(Supplier<Reply> rendering) {
    renderings.acquireUninterruptibly();
    try {
      return rendering.get();
    } finally {
      renderings.release();
    }
  }

  /** Waits for the answer of the shards. */
  private static <T> T answer(CompletionStage<T> stage) throws Refusal {
    try {
      return stage.toCompletableFuture().get(STATE_TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new Refusal(
          503,
          String.format(
              Locale.ROOT, "the shards did not answer within %d s", STATE_TIMEOUT_SECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Refusal(503, "the admin port is closing");
    } catch (ExecutionException e) {
      throw new IllegalStateException("querying the shards failed", e.getCause());
    }
  }

  private Reply reload() {
    return switch (operations.reload()) {
      case ReloadOutcome.Applied(List<String> changes) ->
          Reply.json(200, Map.of("applied", changes));
      case ReloadOutcome.Refused(String message) -> plainText(422, message);
      case ReloadOutcome.Failed(String message) -> plainText(500, message);
      case ReloadOutcome.Impossible(String why) -> plainText(409, why);
    };
  }

  /** Plain text, as at start, for the same people and tools to read. */
  private static Reply plainText(int status, String message) {
    return new Reply(status, "text/plain; charset=utf-8", (message + "\n").getBytes(UTF_8));
  }

  private Reply logLevel(String method, Map<String, String> query) {
    String logger = query.getOrDefault("logger", Logging.LOGGER);
    if (method.equals("PUT") || method.equals("POST")) {
      LogConfig.Level level = level(query.getOrDefault("level", ""));
      if (level == null) {
        String levels = Arrays.toString(LogConfig.Level.values()).toLowerCase(Locale.ROOT);
        return Reply.error(400, "level must be one of " + levels);
      }
      if (Logging.setLevel(logger, level)) {
        log.write(Event.LOG_LEVEL, "logger", logger, "level", level);
      }
    }
    Optional<String> level = Logging.level(logger);
    return level.isPresent()
        ? Reply.json(200, new LogLevel(logger, level.get()))
        : Reply.error(404, "no such logger; try waymark, waymark.access or ROOT");
  }

  private static LogConfig.@Nullable Level level(String text) {
    return Arrays.stream(LogConfig.Level.values())
        .filter(l -> l.name().equalsIgnoreCase(text))
        .findFirst()
        .orElse(null);
  }
}
