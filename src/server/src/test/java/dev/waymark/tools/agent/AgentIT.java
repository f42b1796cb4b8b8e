package dev.waymark.tools.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.waymark.config.AgentService;
import dev.waymark.config.AgentServices;
import dev.waymark.config.BadValueException;
import dev.waymark.config.ClientTlsConfig;
import dev.waymark.config.RegistryAddress;
import dev.waymark.config.TlsKeys.Engine;
import dev.waymark.config.TlsKeys.KeyPermissions;
import dev.waymark.telemetry.EventLog;
import dev.waymark.telemetry.Metrics;
import dev.waymark.testing.Authority;
import dev.waymark.testing.Authority.Request;
import dev.waymark.v1.Instance;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.GrpcSslContexts;
import io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Agents in this process, with scripted directories and real services. */
final class AgentIT {
  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  /** So long that what happens sooner is not the work of the next test. */
  private static final String NEVER = "1h";

  private static final String[] QUICK = {"--check-interval", "100ms", "--rise", "2", "--fall", "2"};

  @TempDir private Path folder;

  @SuppressWarnings("NullAway.Init")
  private ScriptedDirectory directory;

  @SuppressWarnings("NullAway.Init")
  private Agent agent;

  @SuppressWarnings("NullAway.Init")
  private Metrics metrics;

  @SuppressWarnings("NullAway.Init")
  private AgentAdmin admin;

  @BeforeEach
  void start() throws IOException {
    directory = ScriptedDirectory.start();
  }

  @AfterEach
  void stop() {
    if (admin != null) {
      admin.close();
    }
    if (agent != null) {
      agent.close();
    }
    directory.close();
  }

  private static AgentService service(String address, String check, String... flags) {
    Map<String, String> all = new HashMap<>();
    all.put("--service", "echo");
    all.put("--address", address);
    all.put("--check", check);
    for (int i = 0; i < flags.length; i += 2) {
      all.put(flags[i], flags[i + 1]);
    }
    return AgentServices.ofFlags(all);
  }

  private void start(AgentService service, String... directories) throws BadValueException {
    start(List.of(service), Optional.empty(), Optional.empty(), directories);
  }

  private void start(
      List<AgentService> services,
      Optional<ClientTlsConfig> tls,
      Optional<Path> token,
      String... directories)
      throws BadValueException {
    List<RegistryAddress> registries = new ArrayList<>();
    for (String each : directories) {
      registries.add(RegistryAddress.read("directory://" + each));
    }
    EventLog log = new EventLog(System::nanoTime);
    agent =
        Agent.start(
            new AgentOptions(
                "node-1",
                Duration.ofSeconds(2),
                services,
                registries,
                tls,
                token,
                Optional.empty()),
            log,
            System::nanoTime,
            Instant::now,
            RandomGenerator.of("L64X128MixRandom"));
    metrics = new Metrics();
    agent.register(metrics);
    admin =
        new AgentAdmin(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), agent, metrics, log);
    admin.start();
  }

  private HttpResponse<String> get(String path) throws IOException, InterruptedException {
    try (HttpClient client = HttpClient.newHttpClient()) {
      URI url = URI.create("http://127.0.0.1:" + admin.address().getPort() + path);
      return client.send(HttpRequest.newBuilder(url).build(), BodyHandlers.ofString());
    }
  }

  /** The only service, as /services shows it. */
  private JsonObject shown() throws IOException, InterruptedException {
    JsonArray services =
        JsonParser.parseString(get("/services").body())
            .getAsJsonObject()
            .getAsJsonArray("services");
    assertThat(services).hasSize(1);
    return services.get(0).getAsJsonObject();
  }

  private static String text(JsonElement object, String name) {
    return object.getAsJsonObject().get(name).getAsString();
  }

  private JsonObject registration(int index) throws IOException, InterruptedException {
    return shown().getAsJsonArray("registrations").get(index).getAsJsonObject();
  }

  private boolean hasMetric(String line) {
    return new String(metrics.prometheusText(), StandardCharsets.UTF_8)
        .lines()
        .anyMatch(line::equals);
  }

  private static ServerSocket listen(int port) throws IOException {
    return new ServerSocket(port, 50, InetAddress.getLoopbackAddress());
  }

  // --- checks ---

  @Test
  void service_thatIsHealthy_isRegisteredWithAllThatIsKnown() throws Exception {
    try (ScriptedService service = ScriptedService.start()) {
      start(
          service(
              service.address(),
              "grpc",
              "--weight",
              "7",
              "--priority",
              "2",
              "--zone",
              "a",
              "--check-interval",
              NEVER),
          directory.address());
      directory.awaitRegistered(service.address());
      Instance registered = Objects.requireNonNull(directory.registered().get(service.address()));
      assertThat(registered.getService()).isEqualTo("echo");
      assertThat(registered.getWeight()).isEqualTo(7);
      assertThat(registered.getPriority()).isEqualTo(2);
      assertThat(registered.getLabelsMap()).isEqualTo(Map.of("zone", "a"));
      assertThat(registered.getHealth()).isEqualTo(Instance.Health.HEALTHY);
      assertThat(directory.calls()).hasSize(1);
      assertThat(directory.calls().getFirst().node()).isEqualTo("node-1");
      await().atMost(TIMEOUT).until(() -> text(registration(0), "state").equals("registered"));
      assertThat(text(shown(), "state")).isEqualTo("healthy");
      assertThat(text(shown(), "check")).isEqualTo("grpc");
      assertThat(get("/readyz").statusCode()).isEqualTo(200);
      assertThat(get("/healthz").statusCode()).isEqualTo(200);
      assertThat(
              hasMetric(
                  "waymark_agent_service_healthy{address=\""
                      + service.address()
                      + "\",service=\"echo\"} 1.0"))
          .isTrue();
    }
  }

  @Test
  void grpcService_thatSaysNotServing_isDeregisteredAtOnce() throws Exception {
    try (ScriptedService service = ScriptedService.start()) {
      start(service(service.address(), "grpc", "--check-interval", NEVER), directory.address());
      directory.awaitRegistered(service.address());
      await().atMost(TIMEOUT).until(() -> service.watchers() == 1);
      service.say(ServingStatus.NOT_SERVING);
      directory.awaitRegistered();
      assertThat(text(shown(), "reason")).isEqualTo("its health service reports NOT_SERVING");
      assertThat(text(registration(0), "state")).isEqualTo("off");
    }
  }

  @Test
  void grpcService_thatWasNotServing_isBackAfterItsRise() throws Exception {
    try (ScriptedService service = ScriptedService.start()) {
      service.say(ServingStatus.NOT_SERVING);
      start(service(service.address(), "grpc", QUICK), directory.address());
      assertThat(agent.awaitChecked(10_000)).isTrue();
      assertThat(agent.healthyCount()).isZero();
      service.say(ServingStatus.SERVING);
      directory.awaitRegistered(service.address());
    }
  }

  @Test
  void tcpService_thatGoesAndComes_isRegisteredWhileItIsThere() throws Exception {
    int port;
    try (ServerSocket server = listen(0)) {
      port = server.getLocalPort();
      start(service("127.0.0.1:" + port, "tcp", QUICK), directory.address());
      directory.awaitRegistered("127.0.0.1:" + port);
    }
    directory.awaitRegistered();
    assertThat(text(shown(), "reason")).isEqualTo("connection refused: nothing is listening there");
    try (ServerSocket back = listen(port)) {
      assertThat(back.isBound()).isTrue();
      directory.awaitRegistered("127.0.0.1:" + port);
    }
  }

  @Test
  void command_thatHangs_failsWithinItsTimeout() throws Exception {
    start(
        service("10.0.0.1:1", "command:sleep 600", "--check-timeout", "200ms"),
        directory.address());
    assertThat(agent.awaitChecked(10_000)).isTrue();
    assertThat(text(shown(), "reason")).isEqualTo("no result within 200 ms");
    assertThat(text(shown(), "state")).isEqualTo("unhealthy");
  }

  @Test
  void severalServices_areMindedEachByItself() throws Exception {
    Path file =
        Files.writeString(
            folder.resolve("agent.yml"),
            """
            - {service: a, address: "10.0.0.1:1", check: none}
            - {service: b, address: "10.0.0.2:1", check: "command:false"}
            - {service: a, address: "10.0.0.3:1", check: "command:test -e FOLDER/agent.yml"}
            """
                .replace("FOLDER", folder.toString()));
    start(AgentServices.read(file), Optional.empty(), Optional.empty(), directory.address());
    directory.awaitRegistered("10.0.0.1:1", "10.0.0.3:1");
    assertThat(directory.calls()).hasSize(1);
    assertThat(agent.healthyCount()).isEqualTo(2);
  }

  @Test
  void load_ofTheServicesReports_isRegistered() throws Exception {
    try (ScriptedService service = ScriptedService.start()) {
      start(
          service(service.address(), "grpc", "--load", "orca", "--check-interval", NEVER),
          directory.address());
      await().atMost(TIMEOUT).until(() -> service.loadWatchers() == 1);
      service.report(0.75);
      await()
          .atMost(TIMEOUT)
          .until(() -> {
            Instance registered = directory.registered().get(service.address());
            return registered != null && registered.getLoad().getUtilisation() == 0.75;
          });
      assertThat(shown().getAsJsonObject("load").get("utilisation").getAsDouble()).isEqualTo(0.75);
    }
  }

  @Test
  @SuppressWarnings("try") // The service ends in the middle.
  void load_thatIsNotReported_isToldAndDoesNotMatter() throws Exception {
    try (ServerSocket server = listen(0)) {
      String address = "127.0.0.1:" + server.getLocalPort();
      start(service(address, "none", "--load", "orca"), directory.address());
      directory.awaitRegistered(address);
      server.close();
      await().atMost(TIMEOUT).until(() -> !text(shown(), "loadProblem").isEmpty());
    }
  }

  // --- directories ---

  @Test
  void directory_thatIsAway_disturbsNothingAndIsTriedForEver() throws Exception {
    int away;
    try (ServerSocket free = listen(0)) {
      away = free.getLocalPort();
    }
    start(service("10.0.0.1:1", "none"), "127.0.0.1:" + away, directory.address());
    directory.awaitRegistered("10.0.0.1:1");
    await()
        .atMost(TIMEOUT)
        .until(() -> text(registration(0), "reason").contains("connection refused"));
    assertThat(text(registration(0), "state")).isEqualTo("waiting");
    await().atMost(TIMEOUT).until(() -> text(registration(1), "state").equals("registered"));
    try (ScriptedDirectory back = ScriptedDirectory.at(away)) {
      back.awaitRegistered("10.0.0.1:1");
      assertThat(directory.calls()).hasSize(1);
    }
  }

  @Test
  void directory_thatIsTheOnlyOneAndAway_makesTheAgentNotReady() throws Exception {
    String address = directory.address();
    directory.close();
    start(service("10.0.0.1:1", "none"), address);
    await().atMost(TIMEOUT).until(() -> get("/readyz").body().contains("connection refused"));
    assertThat(get("/readyz").statusCode()).isEqualTo(503);
  }

  @Test
  void call_thatBreaksOff_isOpenedAgainWithWhatIsHealthyNow() throws Exception {
    start(service("10.0.0.1:1", "none"), directory.address());
    directory.awaitRegistered("10.0.0.1:1");
    directory.breakOff();
    await().atMost(TIMEOUT).until(() -> directory.calls().size() == 2);
    directory.awaitRegistered("10.0.0.1:1");
    await()
        .atMost(TIMEOUT)
        .until(() ->
            hasMetric(
                "waymark_agent_registrations_lost_total{registry=\"directory://"
                    + directory.address()
                    + "\"} 1.0"));
  }

  @Test
  void instance_thatTheDirectoryRefuses_isShownWithTheReason() throws Exception {
    directory.refuse("10.0.0.1:1", "too many");
    start(service("10.0.0.1:1", "none"), directory.address());
    await().atMost(TIMEOUT).until(() -> text(registration(0), "state").equals("refused"));
    assertThat(text(registration(0), "reason")).isEqualTo("too many");
  }

  @Test
  void token_isReadForEachCall() throws Exception {
    Path token = Files.writeString(folder.resolve("token"), "one\n");
    Files.setPosixFilePermissions(token, PosixFilePermissions.fromString("rw-------"));
    start(
        List.of(service("10.0.0.1:1", "none")),
        Optional.empty(),
        Optional.of(token),
        directory.address());
    directory.awaitRegistered("10.0.0.1:1");
    Files.writeString(token, "two\n");
    directory.breakOff();
    directory.awaitRegistered("10.0.0.1:1");
    assertThat(directory.authorizations()).containsExactly("Bearer one", "Bearer two");
    Files.delete(token);
    directory.breakOff();
    await()
        .atMost(TIMEOUT)
        .until(() -> text(registration(0), "reason").equals(token + ": no such file"));
  }

  @Test
  void tls_withTheRightCaOnly_registers() throws Exception {
    Authority root = Authority.root(Files.createDirectory(folder.resolve("a")), "root");
    Authority other = Authority.root(Files.createDirectory(folder.resolve("b")), "other");
    Authority.Issued own = root.issue(Request.server("directory.example"));
    SslContext tls =
        GrpcSslContexts.forServer(own.certificate().toFile(), own.key().toFile()).build();
    try (ScriptedDirectory secure = ScriptedDirectory.with(tls)) {
      start(
          List.of(service("10.0.0.1:1", "none")),
          Optional.of(trusting(other)),
          Optional.empty(),
          secure.address());
      await().atMost(TIMEOUT).until(() -> !text(registration(0), "reason").isEmpty());
      assertThat(secure.calls()).isEmpty();
      stop();
      start(
          List.of(service("10.0.0.1:1", "none")),
          Optional.of(trusting(root)),
          Optional.empty(),
          secure.address());
      secure.awaitRegistered("10.0.0.1:1");
    }
  }

  private static ClientTlsConfig trusting(Authority ca) {
    return new ClientTlsConfig(
        "registry",
        Optional.of(ca.certificate()),
        Optional.empty(),
        KeyPermissions.STRICT,
        Engine.AUTO,
        Optional.of("h2"),
        Optional.of("directory.example"),
        List.of());
  }

  // --- the end ---

  @Test
  void agent_thatStops_deregistersAtOnceEverywhere() throws Exception {
    try (ScriptedDirectory second = ScriptedDirectory.start()) {
      start(service("10.0.0.1:1", "none"), directory.address(), second.address());
      directory.awaitRegistered("10.0.0.1:1");
      second.awaitRegistered("10.0.0.1:1");
      agent.close();
      assertThat(Stream.of(directory, second))
          .allSatisfy(each -> assertThat(each.calls().getLast().isHalfClosed()).isTrue());
      directory.awaitRegistered();
    }
  }
}
