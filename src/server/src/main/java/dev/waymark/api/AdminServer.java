package dev.waymark.api;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.waymark.api.http.AddressInUse;
import dev.waymark.api.http.AuditLog;
import dev.waymark.api.http.Denial;
import dev.waymark.api.http.HttpPort;
import dev.waymark.api.http.Reply;
import dev.waymark.api.http.Route;
import dev.waymark.api.http.Route.Answer;
import dev.waymark.api.http.Route.Refusal;
import dev.waymark.api.http.Route.Request;
import dev.waymark.config.AdminConfig;
import dev.waymark.config.LogConfig;
import dev.waymark.net.admission.Network;
import dev.waymark.net.tls.ServerTls;
import dev.waymark.telemetry.Event;
import dev.waymark.telemetry.EventLog;
import dev.waymark.telemetry.Logging;
import dev.waymark.telemetry.Metrics;
import dev.waymark.telemetry.PrometheusText;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The admin port of a bridge. Thread-safe. Who may do what: {@link AdminAccess}. Every request that
 * changes something is written to the audit log.
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
  private final AuditLog audit;
  private final AdminAccess access;
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
    this.audit = new AuditLog(log);
    this.access = new AdminAccess(config, log);
    this.port = new HttpPort(config.address(), config.hosts(), routes(), access, log);
    registerMetrics();
  }

  private void registerMetrics() {
    metrics.counter(
        "waymark_admin_requests_refused_total",
        "Requests to the admin port refused for their Host, or sent by a page of another site.",
        port::refused);
    metrics.counter(
        "waymark_admin_connections_evicted_total",
        "Connections of the admin port closed to make room for others.",
        port::evicted);
    for (Denial why : Denial.values()) {
      metrics.counter(
          "waymark_admin_auth_failures_total",
          "Requests to the admin port refused for their credentials, by reason.",
          () -> port.denied(why),
          "reason",
          why.label());
    }
    metrics.gauge(
        "waymark_admin_tokens_stale",
        "1 while the file admin.tokens cannot be used and its former tokens stay in force.",
        () -> access.isStale() ? 1L : 0L);
  }

  private List<Route> routes() {
    return List.of(
        Route.get("/metrics", "metrics as Prometheus text", _ -> metrics()).open(),
        Route.probe("/healthz", "200 while every event loop turns, else 503", _ -> health()),
        Route.probe(
                "/readyz",
                "200 while new clients are served, else 503; ?require=upstreams[&pool=…]",
                request -> readiness(request.query()))
            .taking("require", "pool"),
        Route.get(
                "/connections",
                "open connections; ?limit=1000&mark=…&listener=…&pool=…&upstream=…&source=10.0.0.0/8",
                request -> connections(request.query()))
            .taking("limit", "mark", "listener", "pool", "upstream", "source"),
        Route.post(
                "/connections/close",
                "?mark=…[&with=fin|rst]: closes a connection",
                audited("/connections/close", this::closeConnection))
            .taking("mark", "with"),
        Route.get(
            "/upstreams", "pools and upstreams, and why one is not serving", _ -> upstreams()),
        Route.get(
                "/explain",
                "?service=…[&address=…]: what is known of its instances, and why one is not used",
                this::explain)
            .taking("service", "address"),
        Route.post(
                "/upstreams/drain",
                "?pool=…&upstream=…: its connections move to others",
                audited("/upstreams/drain", request -> drainUpstream(request, true)))
            .taking("pool", "upstream"),
        Route.post(
                "/upstreams/undrain",
                "?pool=…&upstream=…: ends that",
                audited("/upstreams/undrain", request -> drainUpstream(request, false)))
            .taking("pool", "upstream"),
        Route.post(
            "/drain",
            "accept no clients; open connections go on",
            audited("/drain", _ -> reply(operations.drain(true)))),
        Route.post(
            "/undrain",
            "accept clients again",
            audited("/undrain", _ -> reply(operations.drain(false)))),
        Route.get("/config", "configuration in force, secrets masked", _ -> config()),
        Route.get(
                "/log-level",
                "read, or set with level; ?logger=waymark&level=debug",
                audited("/log-level", this::logLevel))
            .allowing("GET", "PUT", "POST")
            .taking("logger", "level"),
        Route.post("/reload", "apply the changes in the file", audited("/reload", _ -> reload())));
  }

  /**
   * Writes a line to the audit log for each request that changes something. It has the sender's
   * name, never the token.
   */
  private Answer audited(String path, Answer answer) {
    return request -> {
      if (request.isRead()) {
        return answer.to(request);
      }
      String result = "500";
      try {
        Reply reply = answer.to(request);
        result = Integer.toString(reply.status());
        return reply;
      } catch (Refusal refusal) {
        result = refusal.status() + " " + refusal.getMessage();
        throw refusal;
      } finally {
        audit.write(
            request.sender().name(),
            request.client(),
            request.method(),
            path,
            request.query(),
            result);
      }
    };
  }

  /** Replaces the tokens and the roles of client certificates, after a reload. */
  public void use(AdminConfig config) {
    access.use(config);
  }

  /** Reads the token file again if it has changed. Blocks; call it about once a second. */
  public void refreshTokens() {
    access.refresh();
  }

  /**
   * Opens the port.
   *
   * @param tls what speaks TLS; null: plain HTTP. The caller closes it.
   * @throws AddressInUse if the address cannot be bound
   */
  public void start(@Nullable ServerTls tls) {
    port.start(tls);
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

  private Reply readiness(Map<String, String> query) throws Refusal {
    String required = query.get("require");
    String pool = query.get("pool");
    if (required == null ? pool != null : !required.equals("upstreams")) {
      throw new Refusal(400, "the only requirement is require=upstreams, of all pools or of pool");
    }
    if (pool != null && operations.pools().stream().noneMatch(one -> one.pool().equals(pool))) {
      throw new Refusal(404, "no pool '" + pool + "'");
    }
    Readiness readiness = operations.readiness();
    if (readiness.isReady() && required != null) {
      readiness = operations.upstreamReadiness(pool);
    }
    return Reply.json(readiness.isReady() ? 200 : 503, readiness);
  }

  private Reply upstreams() throws Refusal {
    Upstreams upstreams = new Upstreams(operations.pools(), answer(operations.upstreams()));
    return rendered(() -> Reply.json(200, upstreams));
  }

  private Reply explain(Request request) throws Refusal {
    String service = request.demand("service");
    ServiceExplanation explanation =
        answer(operations.explain(service, request.query().get("address")));
    if (explanation.pools().isEmpty()) {
      throw new Refusal(
          404, "no pool is named '" + service + "' or has a target that names it; see /upstreams");
    }
    return rendered(() -> Reply.json(200, explanation));
  }

  private Reply config() {
    return rendered(() -> Reply.json(200, operations.config()));
  }

  private Reply connections(Map<String, String> query) throws Refusal {
    String asked = query.getOrDefault("limit", Integer.toString(CONNECTIONS_DEFAULT));
    if (!asked.matches("[0-9]{1,6}") || Integer.parseInt(asked) > CONNECTIONS_MAX) {
      throw new Refusal(400, "limit must be a number from 0 to " + CONNECTIONS_MAX);
    }
    ConnectionQuery wanted =
        new ConnectionQuery(
            Integer.parseInt(asked),
            query.get("mark"),
            query.get("listener"),
            query.get("pool"),
            query.get("upstream"),
            source(query.get("source")));
    if (!connectionLists.tryAcquire()) {
      throw new Refusal(503, "too many connection lists are being built; try again");
    }
    try {
      ConnectionPage page = answer(operations.connections(wanted));
      Connections connections =
          new Connections(
              page.total(), page.connections().size() < page.total(), page.connections());
      return rendered(() -> Reply.json(200, connections));
    } finally {
      connectionLists.release();
    }
  }

  private static @Nullable Network source(@Nullable String text) throws Refusal {
    try {
      return text == null ? null : Network.read(text);
    } catch (IllegalArgumentException bad) {
      throw new Refusal(400, "source must be a network, such as 10.0.0.0/8 or fd00::/8");
    }
  }

  private Reply closeConnection(Request request) throws Refusal {
    String with = request.query().getOrDefault("with", "fin");
    boolean isReset =
        switch (with.toLowerCase(Locale.ROOT)) {
          case "fin" -> false;
          case "rst" -> true;
          default -> throw new Refusal(400, "with must be fin or rst");
        };
    return reply(answer(operations.closeConnection(request.demand("mark"), isReset)));
  }

  private Reply drainUpstream(Request request, boolean isDrained) throws Refusal {
    return reply(
        answer(
            operations.drainUpstream(
                request.demand("pool"), request.demand("upstream"), isDrained)));
  }

  private static Reply reply(OperationOutcome outcome) throws Refusal {
    return switch (outcome) {
      case OperationOutcome.Done(String result) -> Reply.json(200, Map.of("result", result));
      case OperationOutcome.NotFound(String what) -> throw new Refusal(404, what);
      case OperationOutcome.Impossible(String why) -> throw new Refusal(409, why);
    };
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

  private Reply logLevel(Request request) {
    String logger = request.query().getOrDefault("logger", Logging.LOGGER);
    if (!request.isRead()) {
      if (logger.equals(Logging.AUDIT_LOGGER)) {
        return Reply.error(409, "the audit log cannot be turned off");
      }
      LogConfig.Level level = level(request.query().getOrDefault("level", ""));
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
