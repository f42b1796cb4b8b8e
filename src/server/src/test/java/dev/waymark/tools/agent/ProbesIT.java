package dev.waymark.tools.agent;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import dev.waymark.config.AgentService;
import dev.waymark.config.AgentServices;
import dev.waymark.upstreams.control.ControlLoop;
import dev.waymark.upstreams.names.ResolverFiles;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.net.http.HttpClient;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each way to test a service, with real services. */
final class ProbesIT {
  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  @TempDir private Path folder;

  private final EventLoopGroup group =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final EventLoop loop = group.next();
  private final HttpClient http =
      HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NEVER).build();
  private final List<String> told = new CopyOnWriteArrayList<>();

  @SuppressWarnings("NullAway.Init")
  private Probes probes;

  @SuppressWarnings("NullAway.Init")
  private Probe probe;

  @BeforeEach
  void start() {
    AgentTime time = new AgentTime(System::nanoTime);
    probes =
        new Probes(
            ControlLoop.nio(loop, time),
            ResolverFiles.ofSystem(),
            RandomGenerator.of("L64X128MixRandom"),
            http);
    loop.execute(() -> time.start(loop));
  }

  @AfterEach
  void stop() throws Exception {
    if (probe != null) {
      loop.submit(() -> probe.close()).get();
    }
    http.shutdownNow();
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
  }

  private void probe(String check, String address) {
    AgentService service =
        AgentServices.ofFlags(Map.of("--service", "echo", "--address", address, "--check", check));
    probe =
        probes.probe(
            service,
            new GrpcProbe.Listener() {
              @Override
              public void onNotServing(String reason) {
                told.add(reason);
              }

              @Override
              public void onLost() {
                told.add("lost");
              }
            });
  }

  private CompletableFuture<Verdict> begin() {
    CompletableFuture<Verdict> verdict = new CompletableFuture<>();
    loop.execute(() -> probe.start(verdict::complete));
    return verdict;
  }

  private Verdict test() {
    CompletableFuture<Verdict> verdict = begin();
    assertThat(verdict).succeedsWithin(TIMEOUT);
    return verdict.join();
  }

  private String giveUp() throws InterruptedException, ExecutionException {
    return loop.submit(() -> probe.giveUp()).get();
  }

  private static ServerSocket listen() throws IOException {
    return new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
  }

  private static String address(ServerSocket server) {
    return "127.0.0.1:" + server.getLocalPort();
  }

  private static String closedPort() throws IOException {
    try (ServerSocket closed = listen()) {
      return address(closed);
    }
  }

  // --- grpc ---

  @Test
  void grpc_followsTheHealthService() throws IOException {
    try (ScriptedService service = ScriptedService.start()) {
      probe("grpc", service.address());
      assertThat(test()).isEqualTo(Verdict.PASSED);
      await().atMost(TIMEOUT).until(() -> service.watchers() == 1);
      service.say(ServingStatus.NOT_SERVING);
      await().atMost(TIMEOUT).until(() -> told.contains("its health service reports NOT_SERVING"));
      assertThat(test()).isEqualTo(Verdict.notServing("its health service reports NOT_SERVING"));
      service.say(ServingStatus.UNKNOWN);
      assertThat(test()).isEqualTo(Verdict.failed("its health service reports UNKNOWN"));
      service.say(ServingStatus.SERVING);
      assertThat(test()).isEqualTo(Verdict.PASSED);
      assertThat(service.watchers()).isEqualTo(1);
    }
  }

  @Test
  void grpc_ofAServiceThatIsNotKnown_fails() throws IOException {
    try (ScriptedService service = ScriptedService.start()) {
      service.say(ServingStatus.SERVICE_UNKNOWN);
      probe("grpc:a.B", service.address());
      assertThat(test())
          .isEqualTo(Verdict.failed("its health service does not know service 'a.B'"));
    }
  }

  @Test
  void grpc_withoutWatch_isAskedByCheck() throws IOException {
    try (ScriptedService service = ScriptedService.with(false, true)) {
      probe("grpc", service.address());
      assertThat(test()).isEqualTo(Verdict.PASSED);
      service.say(ServingStatus.NOT_SERVING);
      assertThat(test().kind()).isEqualTo(Verdict.Kind.NOT_SERVING);
      assertThat(service.checks()).isEqualTo(2);
      assertThat(told).isEmpty();
    }
  }

  @Test
  void grpc_withoutCheck_isJudgedByWatch() throws IOException {
    try (ScriptedService service = ScriptedService.with(true, false)) {
      probe("grpc", service.address());
      assertThat(test()).isEqualTo(Verdict.PASSED);
      service.say(ServingStatus.NOT_SERVING);
      await().atMost(TIMEOUT).until(() -> !told.isEmpty());
      assertThat(test().kind()).isEqualTo(Verdict.Kind.NOT_SERVING);
    }
  }

  @Test
  void grpc_withoutHealthService_namesTheRemedy() throws IOException {
    try (ScriptedService service = ScriptedService.with(false, false)) {
      probe("grpc", service.address());
      for (int i = 0; i < 2; i++) {
        assertThat(test())
            .isEqualTo(
                Verdict.failed(
                    "it has no health service (grpc.health.v1); check it by tcp or http"));
      }
    }
  }

  @Test
  void grpc_whoseWatchEnds_tellsAndWatchesAgain() throws IOException {
    try (ScriptedService service = ScriptedService.start()) {
      probe("grpc", service.address());
      assertThat(test()).isEqualTo(Verdict.PASSED);
      await().atMost(TIMEOUT).until(() -> service.watchers() == 1);
      service.endWatches();
      await().atMost(TIMEOUT).until(() -> told.contains("lost"));
      assertThat(test()).isEqualTo(Verdict.PASSED);
      await().atMost(TIMEOUT).until(() -> service.watchers() == 1);
    }
  }

  @Test
  void grpc_whereNobodyListens_saysSo_andReturns() throws IOException {
    String address = closedPort();
    probe("grpc", address);
    assertThat(test()).isEqualTo(Verdict.failed("connection refused: nothing is listening there"));
    assertThat(test().kind()).isEqualTo(Verdict.Kind.FAILED);
  }

  @Test
  void grpc_toAServerOfAnotherProtocol_saysWhich() throws IOException {
    HttpServer server = http(200);
    try {
      probe("grpc", "127.0.0.1:" + server.getAddress().getPort());
      assertThat(test().reason()).contains("HTTP/1");
    } finally {
      server.stop(0);
    }
  }

  @Test
  void grpc_toASilentServer_saysWhatIsKnownWhenItIsGivenUp() throws Exception {
    try (ServerSocket silent = listen()) {
      probe("grpc", address(silent));
      CompletableFuture<Verdict> verdict = begin();
      try (Socket accepted = silent.accept()) {
        assertThat(accepted.isConnected()).isTrue();
        await()
            .atMost(TIMEOUT)
            .until(() -> giveUp().startsWith("accepts the connection, but sends nothing"));
      }
      assertThat(verdict).isNotDone();
    }
  }

  // --- tcp ---

  @ParameterizedTest
  @CsvSource({"127.0.0.1", "localhost"})
  void tcp_passesWhileSomebodyListens(String host) throws IOException {
    try (ServerSocket server = listen()) {
      probe("tcp", host + ":" + server.getLocalPort());
      assertThat(test()).isEqualTo(Verdict.PASSED);
      assertThat(test()).isEqualTo(Verdict.PASSED);
    }
    assertThat(test()).isEqualTo(Verdict.failed("connection refused: nothing is listening there"));
  }

  @Test
  void tcp_ofANameThatDoesNotExist_fails() {
    probe("tcp", "does-not-exist.invalid:80");
    assertThat(test().kind()).isEqualTo(Verdict.Kind.FAILED);
  }

  @Test
  void tcp_ofAUnixSocket_followsIt() throws IOException {
    Path socket = folder.resolve("socket");
    probe("tcp", "unix:" + socket);
    assertThat(test()).isEqualTo(Verdict.failed("there is no Unix socket at this path"));
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(socket));
      assertThat(test()).isEqualTo(Verdict.PASSED);
    }
  }

  // --- http ---

  private static HttpServer http(int status) throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/healthz",
        exchange -> {
          exchange.getResponseHeaders().add("Location", "/elsewhere");
          exchange.sendResponseHeaders(status, -1);
          exchange.close();
        });
    server.start();
    return server;
  }

  @ParameterizedTest
  @CsvSource({"200, true", "204, true", "302, true", "399, true", "404, false", "503, false"})
  void http_isJudgedByItsStatus(int status, boolean isPassed) throws IOException {
    HttpServer server = http(status);
    try {
      probe("http:/healthz", "127.0.0.1:" + server.getAddress().getPort());
      assertThat(test())
          .isEqualTo(isPassed ? Verdict.PASSED : Verdict.failed("HTTP status " + status));
    } finally {
      server.stop(0);
    }
  }

  @Test
  void http_whereNobodyListens_saysSo() throws IOException {
    probe("http:/healthz", closedPort());
    assertThat(test().reason()).startsWith("cannot connect: ");
  }

  @Test
  void http_ofANameThatDoesNotExist_saysSo() {
    probe("http://does-not-exist.invalid/", "127.0.0.1:1");
    assertThat(test().reason())
        .isEqualTo("unknown host does-not-exist.invalid; the name resolves to no address");
  }

  @Test
  void http_thatHangs_isGivenUpAndAskedAgain() throws Exception {
    try (ServerSocket server = listen()) {
      probe("http:/healthz", address(server));
      CompletableFuture<Verdict> first = begin();
      try (Socket hung = server.accept()) {
        byte[] start = "GET /healthz HTTP/1.1\r\n".getBytes(US_ASCII);
        assertThat(hung.getInputStream().readNBytes(start.length)).isEqualTo(start);
        giveUp();
        // Which ends the connection.
        assertThat(new String(hung.getInputStream().readAllBytes(), US_ASCII))
            .contains("User-Agent: waymark-agent\r\n");
      }
      assertThat(first).isNotDone();
      CompletableFuture<Verdict> second = begin();
      try (Socket answered = server.accept()) {
        answered
            .getOutputStream()
            .write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".getBytes(US_ASCII));
        assertThat(second).succeedsWithin(TIMEOUT).isEqualTo(Verdict.PASSED);
      }
    }
  }

  // --- command ---

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "exit 3 | exit code 3",
        "echo one; echo two >&2; exit 1 | exit code 1: two",
        "kill -9 $$ | killed by signal 9",
        "seq 1 100000; false | exit code 1: 100000"
      })
  void command_thatFails_saysHow(String line, String reason) {
    probe("command:" + line, "127.0.0.1:1");
    assertThat(test()).isEqualTo(Verdict.failed(reason));
  }

  @Test
  void command_thatDoesNotExist_fails() {
    probe("command:/does/not/exist", "127.0.0.1:1");
    assertThat(test().reason()).startsWith("exit code 127: ").contains("/does/not/exist");
  }

  @Test
  void command_thatReadsItsInput_findsTheEnd() {
    probe("command:cat", "127.0.0.1:1");
    assertThat(test()).isEqualTo(Verdict.PASSED);
  }

  @Test
  void command_whoseChildHoldsTheOutputOpen_isNotWaitedFor() {
    probe("command:sleep 60 & echo $!; exit 5", "127.0.0.1:1");
    Verdict verdict = test();
    assertThat(verdict.reason()).startsWith("exit code 5: ");
    long child = Long.parseLong(verdict.reason().substring("exit code 5: ".length()));
    ProcessHandle.of(child).ifPresent(ProcessHandle::destroyForcibly);
  }

  @Test
  void command_thatHangs_isKilledWithItsChildrenAndRunAgain() throws Exception {
    Path pids = folder.resolve("pids");
    probe("command:sleep 600 & echo $$ $! > " + pids + "; wait", "127.0.0.1:1");
    CompletableFuture<Verdict> verdict = begin();
    await().atMost(TIMEOUT).until(() -> Files.exists(pids) && Files.size(pids) > 3);
    List<ProcessHandle> processes =
        List.of(Files.readString(pids).strip().split(" ")).stream()
            .map(pid -> ProcessHandle.of(Long.parseLong(pid)).orElseThrow())
            .toList();
    assertThat(processes).hasSize(2).allMatch(ProcessHandle::isAlive);
    giveUp();
    await().atMost(TIMEOUT).until(() -> processes.stream().noneMatch(ProcessHandle::isAlive));
    assertThat(verdict)
        .failsWithin(Duration.ofMillis(200))
        .withThrowableOfType(TimeoutException.class);
    CompletableFuture<Verdict> again = begin();
    assertThat(again).isNotDone();
    giveUp();
  }
}
