package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.waymark.testing.Authority;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class BenchIT {
  private static final FaultyEcho.Fault NONE = (bytes, read) -> bytes;
  private static final long STALL_MS = 500;

  @Test
  void bridgeAndStub_underMixedLoad_passAndReportFigures(@TempDir Path folder) throws IOException {
    Path json = folder.resolve("bench.json");
    try (Stub stub = Stub.start();
        Bridge bridge = Bridge.inFrontOf(stub);
        Waymark bench =
            bench(
                "127.0.0.1:" + bridge.port(),
                "--connections=50",
                "--sizes=1,64,1KiB,100KiB",
                "--window=3",
                "--seconds=1",
                "--warmup=0.3",
                "--progress",
                "--interval=200",
                "--cpu-of=" + bridge.process().pid(),
                "--json=" + json)) {
      assertThat(bench.exitCode()).as(bench.describe()).isZero();
      assertThat(bench.stdout()).contains("50 connections", "0 wrong, 0 lost", "p99.9");
      assertThat(bench.stderr()).contains("(warm-up)", "requests/s");
      JsonObject figures = JsonParser.parseString(Files.readString(json)).getAsJsonObject();
      assertThat(figures.get("requests").getAsLong()).isPositive();
      assertThat(figures.get("exitCode").getAsInt()).isZero();
      assertThat(figures.getAsJsonObject("latencyUs").get("p99").getAsDouble()).isPositive();
      assertThat(figures.get("requestsPerCpuSecond").getAsDouble()).isPositive();
      assertThat(figures.getAsJsonArray("intervals")).hasSizeGreaterThan(3);
      assertThat(figures.getAsJsonArray("histogram")).hasSizeGreaterThan(3);
    }
  }

  @Test
  void bridgeAndStub_inAConnectBurst_loseNoConnection() {
    try (Stub stub = Stub.start();
        Bridge bridge = Bridge.inFrontOf(stub);
        Waymark bench =
            bench(
                "127.0.0.1:" + bridge.port(),
                "--connect-burst",
                "--connections=5",
                "--rate=100",
                "--source=127.0.0.0/8",
                "--seconds=1",
                "--json=-")) {
      assertThat(bench.exitCode()).as(bench.describe()).isZero();
      JsonObject figures = figures(bench);
      assertThat(figures.get("requests").getAsLong()).isPositive();
      assertThat(figures.get("requests").getAsLong() + figures.get("unsent").getAsLong())
          .isEqualTo(100);
    }
  }

  @Test
  void bridgeWithTls_inConnectBursts_resumesSessionsOnlyIfBenchDoes(@TempDir Path folder)
      throws IOException {
    Authority.assumeOpenssl();
    Authority.Issued pair =
        Authority.root(folder, "root").issue(Authority.Request.server("localhost"));
    try (Stub stub = Stub.start();
        Bridge bridge =
            Bridge.inFrontOf(
                stub, "--tls-certificate=" + pair.certificate(), "--tls-key=" + pair.key())) {
      assertThat(resumed(bridge, "--tls")).isZero();
      assertThat(resumed(bridge, "--tls-resume")).isPositive();
    }
  }

  /** How many sessions are resumed in a burst of a hundred connections. */
  private static long resumed(Bridge bridge, String tls) {
    try (Waymark bench =
        bench(
            "127.0.0.1:" + bridge.port(),
            tls,
            "--connect-burst",
            "--connections=2",
            "--rate=200",
            "--seconds=0.5",
            "--json=-")) {
      assertThat(bench.exitCode()).as(bench.describe()).isZero();
      JsonObject figures = figures(bench).getAsJsonObject("tls");
      assertThat(figures.get("negotiated").getAsString())
          .isEqualTo("TLSv1.3 TLS_AES_128_GCM_SHA256");
      assertThat(figures.get("handshakes").getAsLong()).isPositive();
      return figures.get("resumed").getAsLong();
    }
  }

  @Test
  void tls_ifTheServerDoesNotSpeakIt_isReportedAsRefused() {
    try (FaultyEcho echo = FaultyEcho.start(NONE);
        Waymark bench = bench(echo.address(), "--tls", "--connections=1", "--seconds=0.2")) {
      assertThat(bench.exitCode()).isEqualTo(1);
      assertThat(bench.stderr()).contains("TLS handshake failed: ");
    }
  }

  @Test
  void idleConnections_atTheEnd_areAllAlive() {
    try (FaultyEcho echo = FaultyEcho.start(NONE);
        Waymark bench =
            bench(echo.address(), "--idle", "--connections=300", "--seconds=0.5", "--threads=2")) {
      assertThat(bench.exitCode()).as(bench.describe()).isZero();
      assertThat(bench.stdout()).contains("300 of 300");
    }
  }

  @Test
  void changedByte_isReportedWithItsOffset() {
    FaultyEcho.Fault flip =
        (bytes, read) -> {
          bytes[5] ^= (byte) (read == 10 ? 1 : 0);
          return bytes;
        };
    try (FaultyEcho echo = FaultyEcho.start(flip);
        Waymark bench = bench(echo.address(), "--connections=1", "--seconds=0.5")) {
      assertThat(bench.exitCode()).isEqualTo(1);
      // 9 correct replies of 64 bytes, and 5 bytes of the tenth.
      assertThat(bench.stdout())
          .contains("1 wrong")
          .containsPattern("connection 0, offset 581: expected byte 0x.., got 0x..: changed");
    }
  }

  @Test
  void swappedReplies_areReported() {
    byte[][] held = new byte[1][];
    CountDownLatch isHeld = new CountDownLatch(1);
    FaultyEcho.Fault swap =
        (bytes, read) -> {
          if (read == 1) {
            held[0] = bytes;
            isHeld.countDown();
            return new byte[0];
          }
          isHeld.await();
          return read == 2 ? held[0] : bytes;
        };
    try (FaultyEcho echo = FaultyEcho.start(swap);
        Waymark bench = bench(echo.address(), "--connections=2", "--seconds=0.5")) {
      assertThat(bench.exitCode()).isEqualTo(1);
      assertThat(bench.stdout()).contains("1 wrong", "foreign (bytes of connection ");
    }
  }

  @Test
  void closedConnection_isReportedAsLost() {
    try (FaultyEcho echo = FaultyEcho.start((bytes, read) -> read == 20 ? null : bytes);
        Waymark bench = bench(echo.address(), "--connections=3", "--seconds=0.5")) {
      assertThat(bench.exitCode()).isEqualTo(1);
      assertThat(bench.stdout())
          .contains("0 wrong, 1 lost", "closed by the other side", "open at the end: 2");
    }
  }

  @Test
  void missingReply_isReported() {
    try (FaultyEcho echo = FaultyEcho.start((bytes, read) -> read == 5 ? new byte[0] : bytes);
        Waymark bench = bench(echo.address(), "--connections=1", "--seconds=0.5")) {
      assertThat(bench.exitCode()).isEqualTo(1);
      assertThat(bench.stdout()).contains("1 unanswered");
    }
  }

  @Test
  void stall_atAFixedRate_countsForEveryRequestDueMeanwhile() {
    Object lock = new Object();
    FaultyEcho.Fault stall =
        (bytes, read) -> {
          synchronized (lock) {
            if (read == 100) {
              assertThat(new CountDownLatch(1).await(STALL_MS, TimeUnit.MILLISECONDS)).isFalse();
            }
            return bytes;
          }
        };
    try (FaultyEcho echo = FaultyEcho.start(stall);
        Waymark bench =
            bench(echo.address(), "--connections=10", "--rate=100", "--seconds=3", "--json=-")) {
      assertThat(bench.exitCode()).as(bench.describe()).isZero();
      JsonObject figures = figures(bench);
      assertThat(figures.get("requests").getAsLong()).isEqualTo(300);
      assertThat(figures.getAsJsonObject("latencyUs").get("p99").getAsDouble())
          .isGreaterThan(0.8 * STALL_MS * 1e3);
    }
  }

  @Test
  void nothingListening_isReportedAtOnce() {
    try (Waymark bench = bench("127.0.0.1:1", "--connections=2", "--seconds=30")) {
      assertThat(bench.exitCode()).isEqualTo(1);
      assertThat(bench.stdout()).isEmpty();
      assertThat(bench.stderr())
          .contains(
              "no connection could be opened", "cannot connect to 127.0.0.1:1: Connection refused");
    }
  }

  @Test
  void signal_duringTheRun_endsItWithTheSummary() {
    try (FaultyEcho echo = FaultyEcho.start(NONE);
        Waymark bench = bench(echo.address(), "--seconds=1000", "--progress", "--interval=100")) {
      bench.awaitLine("requests/s");
      bench.signal("TERM");
      assertThat(bench.exitCode()).as(bench.describe()).isZero();
      assertThat(bench.stdout()).contains("100 connections", "0 wrong, 0 lost");
    }
  }

  @Test
  void serveEcho_servesUntilStopped() {
    try (Waymark echo = Waymark.command("bench", "--serve-echo=127.0.0.1:0").quick().start()) {
      String address = echo.awaitLine("echo on (\\S+);").group(1);
      try (Waymark bench =
          bench(address, "--size=300KiB", "--window=8", "--connections=4", "--seconds=0.5")) {
        assertThat(bench.exitCode()).as(bench.describe()).isZero();
      }
      assertThat(echo.stop()).isZero();
    }
  }

  @Test
  void moreConnectionsThanDescriptors_areRefusedWithARemedy() {
    try (Waymark bench =
        Waymark.command("bench", "127.0.0.1:1", "--connections=900")
            .quick()
            .descriptorsMax(512)
            .start()) {
      assertThat(bench.exitCode()).isEqualTo(2);
      assertThat(bench.stderr())
          .contains("--connections: 900", "ulimit -n")
          .doesNotContain("\tat ");
    }
  }

  @Test
  void unresolvableName_isRefusedInOneLine() {
    try (Waymark bench = bench("no-such-name.invalid:1")) {
      assertThat(bench.exitCode()).isEqualTo(2);
      assertThat(bench.stderr())
          .isEqualTo(
              "no-such-name.invalid:1: there is no address for this name\nTry 'waymark bench --help'.\n");
    }
  }

  private static Waymark bench(String... flags) {
    List<String> line = Stream.concat(Stream.of("bench"), Stream.of(flags)).toList();
    return Waymark.command(line.toArray(String[]::new)).quick().start();
  }

  private static JsonObject figures(Waymark bench) {
    return JsonParser.parseString(bench.stdout()).getAsJsonObject();
  }
}
