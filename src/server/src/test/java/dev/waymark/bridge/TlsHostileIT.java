package dev.waymark.bridge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.waymark.e2e.Waymark;
import dev.waymark.testing.Authority;
import dev.waymark.testing.Authority.Issued;
import dev.waymark.testing.Authority.KeyType;
import dev.waymark.testing.Authority.Request;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufAllocatorMetricProvider;
import io.netty.util.ResourceLeakDetector;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Clients that attack a listener's handshake, with each engine; the others are served meanwhile.
 */
@ParameterizedClass
@ValueSource(strings = {"boringssl", "jdk"})
final class TlsHostileIT {
  /** How many mutated ClientHellos each engine gets; a million takes minutes. */
  private static final int HELLOS = Integer.getInteger("waymark.tls.hostile", 500);

  private static final int HELLOS_AT_A_TIME = 16;
  private static final int HALF_OPEN = 2_000;
  private static final int STORM_CLIENTS = Integer.getInteger("waymark.tls.storm", 150);

  /** Whether to print figures. */
  private static final boolean IS_LONG = System.getProperty("waymark.tls.storm") != null;

  /** Less than their handshakes take one after the other, also on a fast machine. */
  private static final int STORM_PATIENCE_MS = STORM_CLIENTS < 5_000 ? 500 : 5_000;

  private static final Duration STORM_MAX = Duration.ofMinutes(4);

  /** All that 2,000 half-open handshakes may hold: 16 KiB each. */
  private static final long DIRECT_BYTES_MAX = 32 << 20;

  private static final long LATENCY_MS_MAX =
      ResourceLeakDetector.getLevel() == ResourceLeakDetector.Level.PARANOID ? 1_500 : 200;

  @TempDir private static Path folder;

  @SuppressWarnings("NullAway.Init")
  private static Authority root;

  @SuppressWarnings("NullAway.Init")
  private static TlsBridge bridge;

  @Parameter
  @SuppressWarnings("NullAway.Init")
  private String engine;

  @BeforeParameterizedClassInvocation
  static void start(String engine) throws Exception {
    Authority.assumeOpenssl();
    Path home = Files.createDirectories(folder.resolve(engine));
    root = Authority.root(home.resolve("root"), "root");
    Issued pair = root.issue(Request.server("a.example"));
    Issued slow = root.issue(Request.server("a.example").keyType(KeyType.RSA_4096));
    bridge =
        TlsBridge.start(
            home,
            "name: tls, backlog: 4096, " + tls(engine, pair),
            "name: slow, backlog: 4096, " + tls(engine, slow));
  }

  private static String tls(String engine, Issued pair) {
    return "tls: {engine: %s, handshake-timeout: 30s, certificates: [{certificate: %s, key: %s}]}"
        .formatted(engine, pair.certificate(), pair.key());
  }

  @AfterParameterizedClassInvocation
  static void stop() throws Exception {
    if (bridge != null) {
      assertThat(bridge.metric("waymark_lanes_broken_total")).isZero();
      bridge.stop();
    }
  }

  private static TlsClient connect() throws IOException {
    return TlsClient.Settings.of(root.certificate()).connect(bridge.port("tls"));
  }

  private static byte[] hello() throws Exception {
    SSLEngine engine = SSLContext.getDefault().createSSLEngine();
    engine.setUseClientMode(true);
    SSLParameters parameters = engine.getSSLParameters();
    parameters.setServerNames(List.of(new SNIHostName("a.example")));
    engine.setSSLParameters(parameters);
    ByteBuffer record = ByteBuffer.allocate(32_768);
    engine.wrap(ByteBuffer.allocate(0), record);
    return Arrays.copyOf(record.array(), record.position());
  }

  private static long handshakes() {
    return bridge.metric("waymark_tls_handshakes_open", "listener=\"tls\"");
  }

  private static long directBytes() {
    return ((ByteBufAllocatorMetricProvider) ByteBufAllocator.DEFAULT).metric().usedDirectMemory();
  }

  @Test
  void hellos_thatAreMutatedOrCut_endTheirOwnSocketAlone() throws Exception {
    byte[] hello = hello();
    try (TlsClient neighbour = connect();
        var threads = Executors.newFixedThreadPool(HELLOS_AT_A_TIME)) {
      List<Future<?>> done = new ArrayList<>();
      for (int t = 0; t < HELLOS_AT_A_TIME; t++) {
        SplittableRandom random = new SplittableRandom(0x15 + t);
        done.add(
            threads.submit(() -> {
              for (int i = 0; i < HELLOS / HELLOS_AT_A_TIME; i++) {
                attack(mutated(hello, random));
              }
              return null;
            }));
      }
      for (Future<?> thread : done) {
        thread.get();
      }
      neighbour.echo("hello");
    }
    await().atMost(TlsBridge.TIMEOUT).until(() -> handshakes() == 0);
    assertThat(bridge.metric("waymark_connections_closed_total", "reason=\"internal\"")).isZero();
  }

  private static byte[] mutated(byte[] hello, SplittableRandom random) {
    if (random.nextInt(10) == 0) {
      byte[] noise = new byte[random.nextInt(1, 2_000)];
      random.nextBytes(noise);
      noise[0] = 22;
      return noise;
    }
    byte[] bad =
        Arrays.copyOf(hello, random.nextBoolean() ? hello.length : random.nextInt(1, hello.length));
    for (int flips = random.nextInt(0, 6); flips > 0; flips--) {
      bad[random.nextInt(bad.length)] = (byte) random.nextInt();
    }
    return bad;
  }

  private static void attack(byte[] bytes) throws IOException {
    try (Socket socket = TlsClient.plain(bridge.port("tls"))) {
      try {
        socket.getOutputStream().write(bytes);
        socket.shutdownOutput();
        socket.getInputStream().readAllBytes();
      } catch (SocketTimeoutException stuck) {
        throw new AssertionError("not closed", stuck);
      } catch (IOException reset) {
        assertThat(reset).isNotNull();
      }
    }
  }

  @Test
  void handshakesThatAreHalfOpen_costLittle_andHinderNobody() throws Exception {
    byte[] part = Arrays.copyOf(hello(), 100);
    List<Socket> sockets = new ArrayList<>();
    try (TlsClient neighbour = connect()) {
      neighbour.echo("hello");
      long before = directBytes();
      for (int i = 0; i < HALF_OPEN; i++) {
        Socket socket = TlsClient.plain(bridge.port("tls"));
        sockets.add(socket);
        socket.getOutputStream().write(part);
      }
      await().atMost(TlsBridge.TIMEOUT).until(() -> handshakes() == HALF_OPEN);
      List<Long> latenciesNs = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        long startNs = System.nanoTime();
        neighbour.echo("hello");
        latenciesNs.add(System.nanoTime() - startNs);
      }
      latenciesNs.sort(null);
      assertThat(Duration.ofNanos(latenciesNs.get(90)))
          .isLessThan(Duration.ofMillis(LATENCY_MS_MAX));
      assertThat(directBytes() - before).isLessThan(DIRECT_BYTES_MAX);
    } finally {
      for (Socket socket : sockets) {
        socket.close();
      }
    }
    await().atMost(TlsBridge.TIMEOUT).until(() -> handshakes() == 0);
  }

  @Test
  void storm_ofClientsThatGiveUpAndComeAgain_getsIn() throws Exception {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    try (Waymark storm =
        Waymark.program(
                java.toString(),
                "-Xmx1g",
                "-Dio.netty.leakDetection.level=disabled",
                "-cp",
                System.getProperty("java.class.path"),
                TlsStorm.class.getName(),
                Integer.toString(bridge.port("slow")),
                Integer.toString(STORM_CLIENTS),
                Integer.toString(STORM_PATIENCE_MS),
                Long.toString(STORM_MAX.toMillis()))
            .start()) {
      assertThat(storm.exitCode(STORM_MAX.plusMinutes(1))).as(storm.describe()).isZero();
      if (IS_LONG) {
        System.out.println(engine + ": " + storm.awaitLine("(all .*)").group(1));
      }
    }
  }
}
