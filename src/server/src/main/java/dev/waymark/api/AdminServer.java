package dev.waymark.api;

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
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The admin port of a bridge. Thread-safe. Open to whoever reaches it: keep it on loopback. */
public final class AdminServer {
  private static final int CONNECTIONS_DEFAULT = 1_000;
  private static final int CONNECTIONS_MAX = 100_000;

  /** How long the shards may take to answer. */
  private static final long STATE_TIMEOUT_SECONDS = 5;

  /** Lists of connections made at once: a long one takes tens of megabytes. */
  private static final int CONNECTION_LISTS_MAX = 2;

  /**
   * Replies put together at once: half of the cores, so that the port's event loop, which answers
   * probes, always finds one.
   */
  private static final int RENDERINGS_MAX =
      Math.max(1, Runtime.getRuntime().availableProcessors() / 2);

  private final Operations state;
  private final Metrics metrics;
  private final EventLog log;
  private final HttpPort port;
  private final Semaphore connectionLists = new Semaphore(CONNECTION_LISTS_MAX);
  private final Semaphore renderings = new Semaphore(RENDERINGS_MAX);

  private record Connections(long total, boolean truncated, List<ConnectionView> connections) {}

  private record Upstreams(List<PoolStatus> pools, List<UpstreamStatus> upstreams) {}

  private record LogLevel(String logger, String level) {}

  /**
   * A server that is not open yet.
   *
   * @param more paths besides those of its own
   */
  public AdminServer(
      AdminConfig config, Operations state, Metrics metrics, EventLog log, Route... more) {
    this.state = state;
    this.metrics = metrics;
    this.log = log;
    this.port =
        new HttpPort(
            config.address(),
            config.hosts(),
            Stream.concat(routes(), Stream.of(more)).toList(),
            log);
    metrics.counter(
        "waymark_admin_requests_refused_total",
        "Requests of the admin port that came by a Host, or from a page, that is not served.",
        port::refused);
    metrics.counter(
        "waymark_admin_connections_evicted_total",
        "Connections of the admin port that were closed to make room for others.",
        port::evicted);
  }

  private Stream<Route> routes() {
    return Stream.of(
        Route.get("/metrics", "metrics as Prometheus text", _ -> metrics()),
        Route.probe("/healthz", "200 while every event loop turns, else 503", _ -> health()),
        Route.probe("/readyz", "200 while new clients are served, else 503", _ -> readiness()),
        Route.get(
                "/connections",
                "open connections; ?limit=1000",
                request -> connections(request.query()))
            .taking("limit"),
        Route.get(
            "/upstreams",
            "pools and their upstreams, and why one does not serve",
            _ -> upstreams()),
        Route.get("/config", "what is in force, secrets masked", _ -> config()),
        Route.get(
                "/log-level",
                "read, or set with level; ?logger=waymark&level=debug",
                request -> logLevel(request.method(), request.query()))
            .allowing("GET", "PUT", "POST")
            .taking("logger", "level"));
  }

  /**
   * Opens the port.
   *
   * @throws AddressInUse where the address cannot be had
   */
  public void start() {
    port.start();
  }

  /** Closes the port and what is connected to it. */
  public void stop() {
    port.stop();
  }

  /** The address it listens on. */
  public InetSocketAddress address() {
    return port.address();
  }

  private Reply metrics() {
    return rendered(() -> new Reply(200, PrometheusText.CONTENT_TYPE, metrics.prometheusText()));
  }

  private Reply health() {
    Readiness health = state.health();
    return health.isReady() ? Reply.text("ok\n") : Reply.json(503, health);
  }

  private Reply readiness() {
    Readiness readiness = state.readiness();
    return Reply.json(readiness.isReady() ? 200 : 503, readiness);
  }

  private Reply upstreams() throws Refusal {
    Upstreams upstreams = new Upstreams(state.pools(), answer(state.upstreams()));
    return rendered(() -> Reply.json(200, upstreams));
  }

  private Reply config() {
    return rendered(() -> Reply.json(200, Objects.requireNonNull(Masking.masked(state.config()))));
  }

  private Reply connections(Map<String, String> query) throws Refusal {
    String asked = query.getOrDefault("limit", Integer.toString(CONNECTIONS_DEFAULT));
    if (!asked.matches("[0-9]{1,6}") || Integer.parseInt(asked) > CONNECTIONS_MAX) {
      throw new Refusal(400, "limit is a number from 0 to " + CONNECTIONS_MAX);
    }
    if (!connectionLists.tryAcquire()) {
      throw new Refusal(503, "other lists of connections are being made; try again");
    }
    try {
      ConnectionPage page = answer(state.connections(Integer.parseInt(asked)));
      Connections connections =
          new Connections(
              page.total(), page.connections().size() < page.total(), page.connections());
      return rendered(() -> Reply.json(200, connections));
    } finally {
      connectionLists.release();
    }
  }

  /** Waits for its turn, which comes: nothing in a rendering waits for anybody else. */
  private Reply rendered(Supplier<Reply> rendering) {
    renderings.acquireUninterruptibly();
    try {
      return rendering.get();
    } finally {
      renderings.release();
    }
  }

  /** What the shards say, if they do in time. */
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
      throw new Refusal(503, "the admin port closes");
    } catch (ExecutionException e) {
      throw new IllegalStateException("the shards cannot be asked", e.getCause());
    }
  }

  private Reply logLevel(String method, Map<String, String> query) {
    String logger = query.getOrDefault("logger", Logging.LOGGER);
    if (method.equals("PUT") || method.equals("POST")) {
      LogConfig.Level level = level(query.getOrDefault("level", ""));
      if (level == null) {
        String levels = Arrays.toString(LogConfig.Level.values()).toLowerCase(Locale.ROOT);
        return Reply.error(400, "level is one of " + levels);
      }
      if (Logging.setLevel(logger, level)) {
        log.write(Event.LOG_LEVEL, "logger", logger, "level", level);
      }
    }
    Optional<String> level = Logging.level(logger);
    return level.isPresent()
        ? Reply.json(200, new LogLevel(logger, level.get()))
        : Reply.error(404, "no such logger; waymark, waymark.access and ROOT are there");
  }

  private static LogConfig.@Nullable Level level(String text) {
    return Arrays.stream(LogConfig.Level.values())
        .filter(l -> l.name().equalsIgnoreCase(text))
        .findFirst()
        .orElse(null);
  }
}
