package dev.waymark.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.protobuf.ByteString;
import dev.waymark.v1.BridgeBatch;
import dev.waymark.v1.BridgeFrame;
import dev.waymark.v1.HalfClose;
import dev.waymark.v1.Hello;
import dev.waymark.v1.Open;
import dev.waymark.v1.Ping;
import dev.waymark.v1.Pong;
import dev.waymark.v1.Release;
import dev.waymark.v1.Released;
import dev.waymark.v1.ResumeState;
import dev.waymark.v1.Settings;
import dev.waymark.v1.UpstreamBatch;
import dev.waymark.v1.UpstreamFrame;
import dev.waymark.v1.UpstreamGrpc;
import io.grpc.netty.NettyChannelBuilder;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The example upstreams in misc/examples, each started by its run script. */
@TestInstance(Lifecycle.PER_CLASS)
final class ExamplesIT {
  /** Exit code of the run scripts if this machine lacks something that they need. */
  private static final int NOT_AVAILABLE = 69;

  /** The check may fetch packages or compile. */
  private static final Duration CHECK_TIMEOUT = Duration.ofMinutes(4);

  private static final String DEPENDENCY_TREE =
      "org.apache.maven.plugins:maven-dependency-plugin:3.11.0:tree";
  private static final String EMPTY_PROJECT =
      """
      <project>
        <modelVersion>4.0.0</modelVersion>
        <groupId>org.example</groupId>
        <artifactId>empty</artifactId>
        <version>1</version>
        <dependencies>
          <dependency>
            <groupId>dev.waymark</groupId>
            <artifactId>waymark-upstream</artifactId>
            <version>%s</version>
          </dependency>
        </dependencies>
      </project>
      """;

  private static final int EPOCH = 3;
  private static final int REQUESTS = 400;

  /** Above 2^53, so that JavaScript rounds it if it is read as a number. */
  private static final long CONNECTION = (1L << 60) + 1;

  /** Languages whose check has passed: it starts compilers and interpreters. */
  private final Set<String> checked = new HashSet<>();

  @Test
  void plainUpstream_answersFramesForTheSameConnectionAndEpoch() throws Exception {
    List<UpstreamFrame> answers =
        answers(
            "node",
            3,
            batch(frame().setOpen(Open.newBuilder().setMark("m")), data("one", 0)),
            batch(frame().setLimit(1 << 20), data("two", 3)),
            batch(frame().setHalfClose(HalfClose.newBuilder().setOffset(6))));
    assertThat(answers)
        .containsExactly(
            reply("one").build(), reply("two").build(), replyFrame().setHalfClose(true).build());
  }

  @Test
  void acknowledgingUpstream_answersWithinTheLimitAndConsumes() throws Exception {
    List<UpstreamFrame> answers =
        answers(
            "python",
            6,
            batch(laneFrame().setPing(Ping.newBuilder().setId(9))),
            batch(frame().setOpen(Open.newBuilder().setMark("m").setLimit(4)), data("one", 0)),
            batch(data("two", 3), frame().setHalfClose(HalfClose.newBuilder().setOffset(6))),
            batch(frame().setLimit(1 << 20)));
    assertThat(answers)
        .containsExactly(
            UpstreamFrame.newBuilder().setSettings(Settings.newBuilder().setRevision(1)).build(),
            UpstreamFrame.newBuilder().setPong(Pong.newBuilder().setId(9)).build(),
            reply("one").setConsumed(3).build(),
            reply("t").setConsumed(4).build(),
            reply("wo").setConsumed(6).build(),
            replyFrame().setHalfClose(true).build());
  }

  @Test
  void acknowledgingUpstream_resumesAndReleasesAtTheRightOffsets() throws Exception {
    ResumeState left = ResumeState.newBuilder().setFirstOffset(100).setCommitted(50).build();
    List<UpstreamFrame> answers =
        answers(
            "python",
            3,
            batch(
                frame().setOpen(Open.newBuilder().setMark("m").setLimit(52).setResumeState(left)),
                data("one", 100).setEpoch(EPOCH - 1),
                data("two", 100)),
            batch(frame().setRelease(Release.getDefaultInstance()), data("late", 103)));
    assertThat(answers.subList(1, 3))
        .containsExactly(
            reply("tw").setConsumed(102).build(),
            replyFrame().setConsumed(102).setReleased(Released.getDefaultInstance()).build());
  }

  /** Returns at least {@code count} frames; more if the last batch has them. */
  private List<UpstreamFrame> answers(String language, int count, BridgeBatch... batches)
      throws Exception {
    int port = Waymark.freePort();
    try (Waymark example = startExample(language, port)) {
      var channel = NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
      try {
        var lane = UpstreamGrpc.newBlockingV2Stub(channel).attach();
        lane.write(batch(laneFrame().setHello(Hello.newBuilder().setRevision(1))));
        for (BridgeBatch batch : batches) {
          lane.write(batch);
        }
        var answers = new ArrayList<UpstreamFrame>();
        while (answers.size() < count) {
          UpstreamBatch batch = lane.read(10, TimeUnit.SECONDS);
          assertThat(batch).as(example.describe()).isNotNull();
          answers.addAll(batch.getFramesList());
        }
        lane.cancel("done", null);
        return answers;
      } finally {
        channel.shutdownNow();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"java", "python"})
  void acknowledgingUpstream_killedUnderLoad_losesNoByte(String language) throws Exception {
    int first = Waymark.freePort();
    int second = Waymark.freePort();
    String upstreams = "--upstream=static:///127.0.0.1:" + first + ",127.0.0.1:" + second;
    try (Waymark doomed = startExample(language, first);
        Waymark other = startExample(language, second);
        Bridge bridge = Bridge.start(launch -> launch, upstreams)) {
      await().until(() -> bridge.admin().metric("waymark_pool_upstreams_serving") == 2);
      List<Client> clients = Clients.connect(20, bridge.port());
      var halfWay = new CountDownLatch(clients.size());
      try (var traffic =
          Clients.inBackground(
              () -> Clients.inParallel(clients, client -> requests(client, halfWay)))) {
        assertThat(halfWay.await(30, TimeUnit.SECONDS))
            .as("half of the requests were answered")
            .isTrue();
        String label = "upstream=\"127.0.0.1:" + first + "\"";
        assertThat(bridge.admin().metric("waymark_upstream_connections", label)).isPositive();
        doomed.kill();
        traffic.join();
      }
      assertThat(bridge.admin().marks()).hasSize(clients.size());
      Clients.inParallel(clients, client -> client.end().expectEnd());
      assertThat(other.isAlive()).as(other.describe()).isTrue();
    }
  }

  /** Sends requests of many sizes and checks each byte that comes back by its offset. */
  private static void requests(Client client, CountDownLatch halfWay) {
    for (int number = 0; number < REQUESTS; number++) {
      if (number == REQUESTS / 2) {
        halfWay.countDown();
      }
      client.echo(1 + number * 37L % 5_000);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"java", "python", "node"})
  void bytes_throughABridge_comeBackAndThenFin(String language) throws Exception {
    int upstreamPort = Waymark.freePort();
    int listenPort = Waymark.freePort();
    int adminPort = Waymark.freePort();
    try (Waymark example = startExample(language, upstreamPort);
        Waymark bridge =
            Waymark.start(
                "bridge",
                "--listen=127.0.0.1:" + listenPort,
                "--upstream=static:///127.0.0.1:" + upstreamPort,
                "--admin=127.0.0.1:" + adminPort)) {
      bridge.awaitOk("http://127.0.0.1:" + adminPort + "/readyz");
      byte[] sent = new byte[100_000];
      new Random(1).nextBytes(sent);
      assertThat(echoed(listenPort, sent)).as(example.describe()).isEqualTo(sent);
      assertThat(bridge.stop()).isZero();
    }
  }

  /**
   * Some generators do not know {@code optional}, like Debian's python3-grpc-tools. Then protoc is
   * used if it is installed, and if it fails too, the check reports that before anything runs.
   */
  @Test
  void python_failingGenerator_isReplacedOrReported(@TempDir Path temp) throws IOException {
    assumeThatItRuns("python");
    Path module = Files.createDirectories(temp.resolve("modules/grpc_tools"));
    Files.writeString(module.resolve("__init__.py"), "");
    Files.writeString(module.resolve("protoc.py"), "raise SystemExit('no `optional` here')\n");
    Waymark.Launch launch =
        Waymark.program(script("python"), "--check")
            .env("PYTHONPATH", temp.resolve("modules").toString())
            .env("GENERATED", temp.resolve("generated").toString());
    boolean isProtocHere = Waymark.isOnPath("protoc") && Waymark.isOnPath("grpc_python_plugin");
    try (Waymark check = launch.start()) {
      assertThat(check.exitCode()).as(check.describe()).isEqualTo(isProtocHere ? 0 : NOT_AVAILABLE);
    }
    Path refusing = Files.createDirectories(temp.resolve("bin")).resolve("protoc");
    Files.writeString(refusing, "#!/bin/sh\necho 'nor here' >&2\nexit 1\n");
    assertThat(refusing.toFile().setExecutable(true)).isTrue();
    launch
        .env("PATH", refusing.getParent() + File.pathSeparator + System.getenv("PATH"))
        .env("GENERATED", temp.resolve("again").toString());
    try (Waymark check = launch.start()) {
      assertThat(check.exitCode()).as(check.describe()).isEqualTo(NOT_AVAILABLE);
      assertThat(check.stderr()).contains("nor here").contains("nothing here generates code");
    }
    assertThat(temp.resolve("again")).doesNotExist();
  }

  @Test
  void node_tooOld_isReported(@TempDir Path temp) throws IOException {
    Path old = temp.resolve("node");
    Files.writeString(old, "#!/bin/sh\necho 12.22.0\n");
    assertThat(old.toFile().setExecutable(true)).isTrue();
    try (Waymark check =
        Waymark.program(script("node"), "--check")
            .env("PATH", temp + File.pathSeparator + System.getenv("PATH"))
            .start()) {
      assertThat(check.exitCode()).as(check.describe()).isEqualTo(NOT_AVAILABLE);
      assertThat(check.stderr()).contains("node 12.22.0 is too old");
    }
  }

  @Test
  void java_tooOld_isReported(@TempDir Path temp) throws IOException {
    Path old = Files.createDirectories(temp.resolve("bin")).resolve("java");
    Files.writeString(old, "#!/bin/sh\necho '    java.specification.version = 11' >&2\n");
    assertThat(old.toFile().setExecutable(true)).isTrue();
    Path script = Path.of("misc", "examples", "java", "run.sh").toAbsolutePath();
    try (Waymark check =
        Waymark.program(script.toString(), "--check").env("JAVA_HOME", temp.toString()).start()) {
      assertThat(check.exitCode()).as(check.describe()).isEqualTo(NOT_AVAILABLE);
      assertThat(check.stderr()).contains("java 11 is too old");
    }
  }

  /** Compares the documented dependencies with those of a project that uses only the SDK. */
  @Test
  void java_sdk_hasTheDocumentedDependencies(@TempDir Path empty) throws IOException {
    assumeThatItRuns("java");
    Files.writeString(empty.resolve("pom.xml"), EMPTY_PROJECT.formatted(JavaExample.version()));
    Path tree = empty.resolve("tree");
    try (Waymark maven =
        Waymark.program(
                JavaExample.maven().toString(), "-B", "-q", DEPENDENCY_TREE, "-DoutputFile=" + tree)
            .in(empty)
            .start()) {
      assertThat(maven.exitCode(CHECK_TIMEOUT)).as(maven.describe()).isZero();
    }
    String shown =
        Files.readString(Path.of("docs", "upstream-java.md"))
            .lines()
            .dropWhile(line -> !line.equals("    org.example:empty:jar:1"))
            .takeWhile(line -> line.startsWith("    "))
            .map(line -> line.substring(4))
            .collect(joining("\n"));
    assertThat(shown).isEqualTo(Files.readString(tree).strip());
  }

  private static String script(String language) {
    return Path.of("misc", "examples", language, "run.sh").toAbsolutePath().toString();
  }

  private static Waymark.Launch launch(String language, String argument) {
    if (!language.equals("java")) {
      return Waymark.program(script(language), argument);
    }
    JavaExample.prepare();
    return Waymark.program(JavaExample.project().resolve("run.sh").toString(), argument)
        .env("MVN", JavaExample.maven().toString())
        .env("JAVA_HOME", JavaExample.javaHome().toString());
  }

  private void assumeThatItRuns(String language) {
    if (checked.contains(language)) {
      return;
    }
    try (Waymark check = launch(language, "--check").start()) {
      int code = check.exitCode(CHECK_TIMEOUT);
      assertThat(check.stderr()).as("Maven finds the SDK").doesNotContain("dev.waymark:waymark-");
      assumeTrue(code != NOT_AVAILABLE, check.stderr());
      assertThat(code).as(check.describe()).isZero();
      checked.add(language);
    }
  }

  private Waymark startExample(String language, int port) {
    assumeThatItRuns(language);
    String address = "127.0.0.1:" + port;
    Waymark example = launch(language, address).start();
    try {
      example.awaitLine(language + " upstream on " + address);
      return example;
    } catch (AssertionError failed) {
      example.close();
      throw failed;
    }
  }

  private static byte[] echoed(int port, byte[] sent) throws IOException {
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(20_000);
      Thread writer =
          Thread.ofVirtual()
              .start(() -> {
                try {
                  socket.getOutputStream().write(sent);
                  socket.shutdownOutput();
                } catch (IOException seenByTheReader) {
                  return;
                }
              });
      byte[] received = socket.getInputStream().readAllBytes();
      writer.interrupt();
      return received;
    }
  }

  private static BridgeBatch batch(BridgeFrame.Builder... frames) {
    var batch = BridgeBatch.newBuilder();
    List.of(frames).forEach(batch::addFrames);
    return batch.build();
  }

  private static BridgeFrame.Builder laneFrame() {
    return BridgeFrame.newBuilder();
  }

  private static BridgeFrame.Builder frame() {
    return BridgeFrame.newBuilder().setConnection(CONNECTION).setEpoch(EPOCH);
  }

  private static BridgeFrame.Builder data(String text, long offset) {
    return frame().setPayload(ByteString.copyFrom(text, UTF_8)).setOffset(offset);
  }

  private static UpstreamFrame.Builder replyFrame() {
    return UpstreamFrame.newBuilder().setConnection(CONNECTION).setEpoch(EPOCH);
  }

  private static UpstreamFrame.Builder reply(String text) {
    return replyFrame().setPayload(ByteString.copyFrom(text, UTF_8));
  }
}
