package dev.waymark.api;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.waymark.api.http.AddressInUse;
import dev.waymark.config.AdminConfig;
import dev.waymark.config.AdminTokens;
import dev.waymark.config.LogConfig;
import dev.waymark.net.admission.Network;
import dev.waymark.telemetry.EventLog;
import dev.waymark.telemetry.Logging;
import dev.waymark.telemetry.Metrics;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.slf4j.LoggerFactory;

@ResourceLock("log")
@Timeout(60)
class AdminServerIT {
  private static final int OPEN = 2_500;

  private final Metrics metrics = new Metrics();
  private final FixedState state = new FixedState();
  private final AdminServer server =
      new AdminServer(
          config(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)),
          state,
          metrics,
          new EventLog(System::nanoTime));
  private final HttpClient client = HttpClient.newHttpClient();

  private static final class FixedState implements Operations {
    private volatile boolean isReady;
    private volatile boolean isStuck;
    private volatile boolean isBroken;
    private volatile @Nullable ConnectionQuery lastQuery;

    @Override
    public Readiness health() {
      return new Readiness(!isStuck, isStuck ? "shard 0 has not turned for 5 s" : "ok");
    }

    @Override
    public Readiness readiness() {
      return new Readiness(isReady, isReady ? "serving" : "no upstream is SERVING");
    }

    @Override
    public Readiness upstreamReadiness(@Nullable String pool) {
      return new Readiness(false, "no upstream serves in the pool " + pool);
    }

    @Override
    public CompletionStage<OperationOutcome> closeConnection(String mark, boolean isReset) {
      return CompletableFuture.completedFuture(
          mark.equals("mark1")
              ? new OperationOutcome.Done("closed with " + (isReset ? "RST" : "FIN"))
              : new OperationOutcome.NotFound("no connection"));
    }

    @Override
    public CompletionStage<OperationOutcome> drainUpstream(
        String pool, String upstream, boolean isDrained) {
      return CompletableFuture.completedFuture(
          new OperationOutcome.Done(pool + " " + upstream + " " + isDrained));
    }

    @Override
    public OperationOutcome drain(boolean isDrained) {
      return isDrained
          ? new OperationOutcome.Done("no clients are accepted")
          : new OperationOutcome.Impossible("the port is taken");
    }

    @Override
    public CompletionStage<ConnectionPage> connections(ConnectionQuery query) {
      lastQuery = query;
      int limit = query.limit();
      return CompletableFuture.completedFuture(
          new ConnectionPage(
              OPEN, IntStream.range(0, Math.min(limit, OPEN)).mapToObj(this::connection).toList()));
    }

    private ConnectionView connection(int i) {
      return new ConnectionView(
          "mark" + i, "l", "c", "a", "p", i == 0 ? null : "u", "attached", 1, 2, 3, 4, 5);
    }

    @Override
    public ReloadOutcome reload() {
      return new ReloadOutcome.Applied(List.of("pool p added"));
    }

    @Override
    public List<PoolStatus> pools() {
      return List.of(new PoolStatus("p", 1, 1, "", ""));
    }

    @Override
    public CompletionStage<List<UpstreamStatus>> upstreams() {
      if (isBroken) {
        throw new IllegalStateException("secret detail");
      }
      return CompletableFuture.completedFuture(
          List.of(
              new UpstreamStatus(
                  "p",
                  "127.0.0.1:4770",
                  "SERVING",
                  "serving",
                  true,
                  1,
                  100,
                  1,
                  0,
                  Map.of("zone", "eu-1a"),
                  3,
                  2,
                  1,
                  false,
                  "",
                  "",
                  "")));
    }

    @Override
    public CompletionStage<ServiceExplanation> explain(String service, @Nullable String address) {
      var source = new ServiceExplanation.Source("d:1", 9L, null, "7", 0, "", "", null);
      var instance =
          new ServiceExplanation.Instance(
              String.valueOf(address), false, "why", 5L, 0, null, null, null, null);
      return CompletableFuture.completedFuture(
          new ServiceExplanation(
              service,
              service.equals("unknown")
                  ? List.of()
                  : List.of(
                      new ServiceExplanation.Pool("p", "target", source, List.of(instance)))));
    }

    @Override
    public Map<String, Object> config() {
      return Map.of("admin", Map.of("address", "127.0.0.1:7080"));
    }
  }

  private static AdminConfig config(InetSocketAddress address) {
    return new AdminConfig(
        address, List.of("admin.example.com"), Optional.empty(), Optional.empty());
  }

  @BeforeEach
  void start() {
    server.start(null);
  }

  @AfterEach
  void stop() {
    client.shutdownNow();
    server.stop();
  }

  @Test
  void metrics_get_returnsPrometheusText() throws Exception {
    metrics.counter("waymark_x_total", "X.").inc();
    HttpResponse<String> reply = send("GET", "/metrics");
    assertThat(reply.statusCode()).isEqualTo(200);
    assertThat(contentType(reply)).startsWith("text/plain; version=0.0.4");
    assertThat(reply.body()).contains("waymark_x_total 1.0");
  }

  @Test
  void health_get_reportsLivenessAndReadiness() throws Exception {
    assertThat(send("GET", "/healthz").body()).isEqualTo("ok\n");
    assertThat(send("GET", "/readyz").statusCode()).isEqualTo(503);
    assertThat(json(send("GET", "/readyz")).get("reason").getAsString())
        .isEqualTo("no upstream is SERVING");
    state.isReady = true;
    assertThat(send("GET", "/readyz").statusCode()).isEqualTo(200);
  }

  @Test
  void connections_limit_isRespected() throws Exception {
    JsonObject page = json(send("GET", "/connections"));
    assertThat(page.get("total").getAsInt()).isEqualTo(OPEN);
    assertThat(page.get("truncated").getAsBoolean()).isTrue();
    assertThat(page.getAsJsonArray("connections")).hasSize(1_000);
    JsonObject first = page.getAsJsonArray("connections").get(0).getAsJsonObject();
    assertThat(first.get("upstream").isJsonNull()).isTrue();
    assertThat(first.get("receivedBytes").getAsLong()).isEqualTo(2);
    JsonObject all = json(send("GET", "/connections?limit=100000"));
    assertThat(all.get("truncated").getAsBoolean()).isFalse();
    assertThat(all.getAsJsonArray("connections")).hasSize(OPEN);
    for (String limit : List.of("100001", "-1", "x", "", "99999999999999")) {
      assertThat(send("GET", "/connections?limit=" + limit).statusCode()).isEqualTo(400);
    }
  }

  @Test
  void connections_filters_arePassedOn() throws Exception {
    String path = "/connections?limit=5&listener=l&pool=p&upstream=u:1&source=10.0.0.0/8&mark=m";
    assertThat(send("GET", path).statusCode()).isEqualTo(200);
    assertThat(state.lastQuery)
        .isEqualTo(new ConnectionQuery(5, "m", "l", "p", "u:1", Network.read("10.0.0.0/8")));
    assertThat(json(send("GET", "/connections?source=10.0.0.1/8")).get("error").getAsString())
        .startsWith("source must be a network");
  }

  @Test
  void readiness_requiringUpstreams_needsOneThatServes() throws Exception {
    state.isReady = true;
    HttpResponse<String> reply = send("GET", "/readyz?require=upstreams&pool=p");
    assertThat(reply.statusCode()).isEqualTo(503);
    assertThat(json(reply).get("reason").getAsString())
        .isEqualTo("no upstream serves in the pool p");
    assertThat(send("GET", "/readyz?require=upstreams&pool=q").statusCode()).isEqualTo(404);
    assertThat(send("GET", "/readyz?require=all").statusCode()).isEqualTo(400);
    assertThat(send("GET", "/readyz?pool=p").statusCode()).isEqualTo(400);
  }

  @Test
  void operations_post_returnTheirOutcome() throws Exception {
    Map<String, String> expected = new LinkedHashMap<>();
    expected.put("/connections/close?mark=mark1", "200 closed with FIN");
    expected.put("/connections/close?mark=mark1&with=RST", "200 closed with RST");
    expected.put("/connections/close?mark=mark1&with=x", "400 with must be fin or rst");
    expected.put("/connections/close?mark=mark9", "404 no connection");
    expected.put("/connections/close", "400 ?mark=… is missing");
    expected.put("/upstreams/drain?pool=p&upstream=u:1", "200 p u:1 true");
    expected.put("/upstreams/undrain?pool=p&upstream=u:1", "200 p u:1 false");
    expected.put("/drain", "200 no clients are accepted");
    expected.put("/undrain", "409 the port is taken");
    for (Map.Entry<String, String> each : expected.entrySet()) {
      HttpResponse<String> reply = send("POST", each.getKey());
      String key = reply.statusCode() == 200 ? "result" : "error";
      assertThat(reply.statusCode() + " " + json(reply).get(key).getAsString())
          .as(each.getKey())
          .isEqualTo(each.getValue());
      assertThat(send("GET", each.getKey()).statusCode()).isEqualTo(405);
    }
  }

  @Test
  void upstreamsAndConfig_get_returnJson() throws Exception {
    JsonObject upstream =
        json(send("GET", "/upstreams")).getAsJsonArray("upstreams").get(0).getAsJsonObject();
    assertThat(upstream.get("health").getAsString()).isEqualTo("SERVING");
    assertThat(upstream.get("openLanes").getAsInt()).isEqualTo(1);
    assertThat(upstream.get("priority").getAsInt()).isEqualTo(1);
    assertThat(upstream.getAsJsonObject("labels").get("zone").getAsString()).isEqualTo("eu-1a");
    HttpResponse<String> config = send("GET", "/config");
    assertThat(json(config).getAsJsonObject("admin").get("address").getAsString())
        .isEqualTo("127.0.0.1:7080");
  }

  @Test
  void explain_ofAService_returnsJsonOr404() throws Exception {
    JsonObject pool =
        json(send("GET", "/explain?service=echo&address=a:1"))
            .getAsJsonArray("pools")
            .get(0)
            .getAsJsonObject();
    assertThat(pool.getAsJsonObject("source").get("connectedForMs").getAsLong()).isEqualTo(9);
    assertThat(pool.getAsJsonObject("source").get("heardForMs").isJsonNull()).isTrue();
    JsonObject instance = pool.getAsJsonArray("instances").get(0).getAsJsonObject();
    assertThat(instance.get("address").getAsString()).isEqualTo("a:1");
    assertThat(instance.get("why").getAsString()).isEqualTo("why");
    HttpResponse<String> unknown = send("GET", "/explain?service=unknown");
    assertThat(unknown.statusCode()).isEqualTo(404);
    assertThat(json(unknown).get("error").getAsString())
        .isEqualTo("no pool is named 'unknown' or has a target that names it; see /upstreams");
    assertThat(send("GET", "/explain").statusCode()).isEqualTo(400);
  }

  @Test
  void logLevel_put_takesEffectAtOnce() throws Exception {
    String path = "/log-level?logger=waymark.it";
    LoggerFactory.getLogger("waymark.it");
    assertThat(json(send("PUT", path + "&level=debug")).get("level").getAsString())
        .isEqualTo("DEBUG");
    assertThat(LoggerFactory.getLogger("waymark.it").isDebugEnabled()).isTrue();
    assertThat(json(send("POST", path + "&level=ERROR")).get("level").getAsString())
        .isEqualTo("ERROR");
    assertThat(json(send("GET", path)).get("level").getAsString()).isEqualTo("ERROR");
    assertThat(send("PUT", path + "&level=loud").statusCode()).isEqualTo(400);
    assertThat(send("PUT", "/log-level?logger=no.such&level=debug").statusCode()).isEqualTo(404);
  }

  @Test
  void everyRoute_headAndWrongMethod_areAnswered() throws Exception {
    state.isReady = true;
    for (String path :
        List.of(
            "/",
            "/metrics",
            "/healthz",
            "/readyz",
            "/connections",
            "/upstreams",
            "/config",
            "/log-level")) {
      HttpResponse<String> head = send("HEAD", path);
      assertThat(head.statusCode()).as(path).isEqualTo(200);
      assertThat(head.body()).isEmpty();
      assertThat(head.headers().firstValueAsLong("Content-Length")).isPresent();
      assertThat(contentType(head)).isNotEmpty();
      HttpResponse<String> delete = send("DELETE", path);
      assertThat(delete.statusCode()).as(path).isEqualTo(405);
      assertThat(delete.headers().firstValue("Allow"))
          .hasValueSatisfying(allow -> assertThat(allow).contains("GET, HEAD"));
    }
    assertThat(send("GET", "/").body()).contains("/metrics", "/log-level");
  }

  @Test
  void unknownOrBrokenRoute_request_returnsJsonWithoutDetails() throws Exception {
    HttpResponse<String> unknown = send("GET", "/metrics/../../etc/passwd");
    assertThat(unknown.statusCode()).isEqualTo(404);
    assertThat(contentType(unknown)).startsWith("application/json");
    state.isBroken = true;
    HttpResponse<String> broken = send("GET", "/upstreams");
    assertThat(broken.statusCode()).isEqualTo(500);
    assertThat(broken.body()).doesNotContain("secret detail", "\tat ");
  }

  @Test
  void post_largeBody_isNotRead() throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(uri("/log-level?level=info"))
            .POST(BodyPublishers.ofByteArray(new byte[50_000]))
            .build();
    assertThat(client.send(request, BodyHandlers.ofString()).statusCode()).isEqualTo(200);
    assertServes();
  }

  @Test
  void start_addressUnavailable_namesTheAddress() {
    AdminServer second =
        new AdminServer(
            config(server.address()), state, new Metrics(), new EventLog(System::nanoTime));
    assertThatThrownBy(() -> second.start(null))
        .isInstanceOf(AddressInUse.class)
        .hasMessageContaining(":" + server.address().getPort())
        .hasMessageContaining("--admin");
    AdminServer nowhere =
        new AdminServer(
            config(InetSocketAddress.createUnresolved("no.such.invalid", 1)),
            state,
            new Metrics(),
            new EventLog(System::nanoTime));
    assertThatThrownBy(() -> nowhere.start(null))
        .isInstanceOf(AddressInUse.class)
        .hasMessageContaining("unknown host");
  }

  @Test
  void health_stuckLoop_returns503WithReason() throws Exception {
    state.isStuck = true;
    HttpResponse<String> health = send("GET", "/healthz");
    assertThat(health.statusCode()).isEqualTo(503);
    assertThat(json(health).get("reason").getAsString()).contains("has not turned");
  }

  @Test
  void request_foreignHostOrPage_isRefused() throws Exception {
    for (String path : List.of("GET /config", "POST /log-level?level=info", "GET /healthz")) {
      String foreign = path + " HTTP/1.1\r\nContent-Length: 0\r\nConnection: close\r\nHost: ";
      assertThat(exchange(foreign + "evil.example\r\nOrigin: http://evil.example\r\n\r\n"))
          .startsWith("HTTP/1.1 421 ")
          .contains("admin.hosts");
      assertThat(exchange(foreign + "127.0.0.1\r\nOrigin: http://evil.example\r\n\r\n"))
          .startsWith("HTTP/1.1 403 ");
      assertThat(exchange(foreign + "127.0.0.1\r\n\r\n")).startsWith("HTTP/1.1 200 ");
      assertThat(exchange(foreign + "admin.example.com:7080\r\n\r\n")).startsWith("HTTP/1.1 200 ");
    }
    assertThat(send("GET", "/metrics").body()).contains("waymark_admin_requests_refused_total 6.0");
  }

  @Test
  void otherAddressThanLoopback_openRoutesAnswer_othersNeedATokenOfTheirRole(@TempDir Path folder)
      throws Exception {
    Path file = folder.resolve("tokens");
    AdminAccessTest.write(
        file,
        AdminAccessTest.line("alice", "operate", "t0p-a")
            + AdminAccessTest.line("ci", "read", "t0p-c"));
    AdminConfig config =
        new AdminConfig(
            new InetSocketAddress("0.0.0.0", 0),
            List.of(),
            Optional.of(AdminTokens.read(file, false)),
            Optional.empty());
    Metrics own = new Metrics();
    AdminServer guarded = new AdminServer(config, state, own, new EventLog(System::nanoTime));
    ListAppender<ILoggingEvent> audit = new ListAppender<>();
    Logger logger = (Logger) LoggerFactory.getLogger("waymark");
    Logging.configure(
        new LogConfig(LogConfig.Format.TEXT, LogConfig.Level.ERROR, false), System.err);
    audit.start();
    logger.addAppender(audit);
    guarded.start(null);
    try {
      state.isReady = true;
      for (String path : List.of("/healthz", "/readyz", "/metrics")) {
        assertThat(status(guarded, "GET " + path, "")).as(path).isEqualTo(200);
      }
      for (String path : List.of("/", "/config", "/connections", "/upstreams", "/log-level")) {
        assertThat(status(guarded, "GET " + path, "t0p-c")).as(path).isEqualTo(200);
      }
      assertThat(status(guarded, "GET /config", "")).isEqualTo(401);
      assertThat(status(guarded, "GET /config", "t0p-x")).isEqualTo(401);
      assertThat(status(guarded, "POST /reload", "t0p-c")).isEqualTo(403);
      assertThat(status(guarded, "POST /reload", "t0p-a")).isEqualTo(200);
      assertThat(status(guarded, "PUT /log-level?level=loud", "t0p-a")).isEqualTo(400);
      assertThat(status(guarded, "PUT /log-level?level=error&logger=waymark.audit", "t0p-a"))
          .isEqualTo(409);
      assertThat(new String(own.prometheusText(), ISO_8859_1))
          .contains("waymark_admin_auth_failures_total{reason=\"no_credentials\"} 1.0")
          .contains("waymark_admin_auth_failures_total{reason=\"unknown_token\"} 1.0")
          .contains("waymark_admin_auth_failures_total{reason=\"role\"} 1.0");
      List<String> lines =
          audit.list.stream()
              .filter(line -> line.getMessage().equals("admin-operation"))
              .map(line -> line.getKeyValuePairs().toString())
              .toList();
      assertThat(lines).as("written even if only errors are logged").hasSize(4);
      assertThat(lines.getFirst())
          .contains("who=\"ci\"", "POST /reload", "result=\"403 this needs the role operate");
      assertThat(lines.get(1))
          .contains("who=\"alice\"", "client=\"127.0.0.1:", "POST /reload", "result=\"200\"");
      assertThat(lines.get(2)).contains("PUT /log-level", "level=loud", "result=\"400");
      assertThat(audit.list.toString() + lines).doesNotContain("t0p");
    } finally {
      Logging.configure(
          new LogConfig(LogConfig.Format.TEXT, LogConfig.Level.INFO, true), System.err);
      guarded.stop();
    }
  }

  private int status(AdminServer guarded, String request, String token) throws Exception {
    String[] words = request.split(" ");
    HttpRequest.Builder builder =
        HttpRequest.newBuilder(
                URI.create("http://127.0.0.1:" + guarded.address().getPort() + words[1]))
            .method(words[0], BodyPublishers.noBody());
    if (!token.isEmpty()) {
      builder.header("Authorization", "Bearer " + token);
    }
    return client.send(builder.build(), BodyHandlers.ofString()).statusCode();
  }

  @Test
  void query_unknownOrRepeatedKey_isRefusedNamingTheKey() throws Exception {
    HttpResponse<String> unknown = send("GET", "/connections?limt=5");
    assertThat(unknown.statusCode()).isEqualTo(400);
    assertThat(json(unknown).get("error").getAsString())
        .isEqualTo(
            "unknown parameter 'limt'; /connections takes limit, listener, mark, pool, source, upstream");
    assertThat(json(send("GET", "/upstreams?pool=a")).get("error").getAsString())
        .isEqualTo("unknown parameter 'pool'; /upstreams takes none");
    assertThat(send("GET", "/connections?limit=1&limit=2").statusCode()).isEqualTo(400);
  }

  @Test
  void probe_portFullOfOtherConnections_isAnsweredAtOnce() throws Exception {
    List<Socket> others = new ArrayList<>();
    List<Long> tookMs = new ArrayList<>();
    try {
      for (int i = 0; i < 1_000; i++) {
        others.add(raw(i % 2 == 0 ? "" : "GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: "));
      }
      for (int i = 0; i < 40; i++) {
        others.add(
            raw("POST /log-level?level=info HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\na"));
        others.add(raw("GET /connections?limit=100000 HTTP/1.1\r\nHost: x\r\n\r\n".repeat(20)));
      }
      for (int i = 0; i < 20; i++) {
        long startNs = System.nanoTime();
        assertThat(exchange("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
            .startsWith("HTTP/1.1 200 ");
        tookMs.add((System.nanoTime() - startNs) / 1_000_000);
      }
    } finally {
      for (Socket socket : others) {
        socket.close();
      }
    }
    assertThat(tookMs.stream().sorted().toList().get(tookMs.size() / 2))
        .as("median of %s", tookMs)
        .isLessThan(100);
    assertThat(send("GET", "/metrics").body())
        .doesNotContain("waymark_admin_connections_evicted_total 0.0");
  }

  @Test
  void probes_pipelined_areNotAnswered() throws Exception {
    String probe = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    try (Socket socket = raw(probe.repeat(100))) {
      assertThat(readAll(socket)).containsOnlyOnce("HTTP/1.1 200 ");
    }
    try (Socket socket = raw(probe)) {
      socket.getInputStream().readNBytes(1);
      socket.getOutputStream().write(probe.getBytes(ISO_8859_1));
      socket.shutdownOutput();
      assertThat(readAll(socket))
          .as("a second request after the first reply")
          .contains("TTP/1.1 200 ", "HTTP/1.1 200 ");
    }
  }

  @Test
  void replies_manyRequests_leaveCoresForProbes() throws Exception {
    AtomicInteger running = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    metrics.gauge(
        "waymark_slow",
        "Slow.",
        () -> {
          most.accumulateAndGet(running.incrementAndGet(), Math::max);
          LockSupport.parkNanos(2_000_000);
          return running.getAndDecrement();
        });
    List<Socket> scrapers = new ArrayList<>();
    try {
      for (int i = 0; i < 40; i++) {
        scrapers.add(raw("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
      }
      for (Socket scraper : scrapers) {
        assertThat(readAll(scraper)).contains("waymark_slow");
      }
    } finally {
      for (Socket scraper : scrapers) {
        scraper.close();
      }
    }
    assertThat(most.get())
        .isBetween(1, Math.max(1, Runtime.getRuntime().availableProcessors() / 2));
  }

  @Test
  void request_peerHalfClosed_isAnswered() throws Exception {
    try (Socket socket = raw("GET /healthz HTTP/1.0\r\n\r\n")) {
      socket.shutdownOutput();
      assertThat(readAll(socket)).startsWith("HTTP/1.0 200 ").endsWith("ok\n");
    }
  }

  @Test
  void hostile_slowAndSilentConnections_doNotAffectOthers() throws Exception {
    List<Socket> slow = new ArrayList<>();
    try {
      for (int i = 0; i < 20; i++) {
        slow.add(raw("GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: "));
        slow.add(raw(""));
      }
      assertServes();
      assertThat(readAll(slow.getFirst())).as("closed by the server").doesNotContain("200 OK");
    } finally {
      for (Socket socket : slow) {
        socket.close();
      }
    }
    assertServes();
  }

  @Test
  void hostile_hugeHeaderAndGarbage_doNotAffectOthers() throws Exception {
    try (Socket huge =
        raw("GET / HTTP/1.1\r\nHost: x\r\nX-Huge: " + "a".repeat(100_000) + "\r\n\r\n")) {
      assertThat(readAll(huge)).doesNotContain("200 OK");
    } catch (IOException e) {
      // The server may reset while the header is still being sent.
    }
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 50; i++) {
      byte[] garbage = new byte[200];
      random.nextBytes(garbage);
      try (Socket socket = raw(new String(garbage, ISO_8859_1) + "\r\n\r\n")) {
        socket.shutdownOutput();
        assertThat(readAll(socket)).doesNotContain("200 OK", "\tat ");
      } catch (IOException e) {
        // A reset is fine too.
      }
    }
    assertServes();
  }

  private void assertServes() throws Exception {
    assertThat(send("GET", "/healthz").statusCode()).isEqualTo(200);
  }

  private Socket raw(String bytes) throws IOException {
    Socket socket = new Socket(server.address().getAddress(), server.address().getPort());
    socket.getOutputStream().write(bytes.getBytes(ISO_8859_1));
    return socket;
  }

  private String exchange(String bytes) throws IOException {
    try (Socket socket = raw(bytes)) {
      return readAll(socket);
    }
  }

  private static String readAll(Socket socket) throws IOException {
    socket.setSoTimeout(30_000);
    return new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
  }

  private URI uri(String path) {
    return URI.create("http://127.0.0.1:" + server.address().getPort() + path);
  }

  private HttpResponse<String> send(String method, String path) throws Exception {
    return client.send(
        HttpRequest.newBuilder(uri(path)).method(method, BodyPublishers.noBody()).build(),
        BodyHandlers.ofString());
  }

  private static String contentType(HttpResponse<?> reply) {
    return reply.headers().firstValue("Content-Type").orElse("");
  }

  private static JsonObject json(HttpResponse<String> reply) {
    assertThat(contentType(reply)).startsWith("application/json");
    return JsonParser.parseString(reply.body()).getAsJsonObject();
  }
}
