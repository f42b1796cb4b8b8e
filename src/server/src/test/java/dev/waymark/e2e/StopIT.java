package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How a bridge ends: by one signal, by two, or because it cannot start. */
final class StopIT {
  private static Stub stub;

  @BeforeAll
  static void start() {
    stub = Stub.start();
  }

  @AfterAll
  static void stop() {
    stub.close();
  }

  @Test
  void sigterm_withoutConnections_endsAtOnceWithZero() {
    try (Bridge bridge = Bridge.inFrontOf(stub, "--drain-timeout=30s")) {
      long startNs = System.nanoTime();
      assertThat(bridge.process().stop()).isZero();
      Clients.assertFast(startNs, Duration.ofSeconds(10));
    }
  }

  @Test
  void sigterm_withConnections_servesThemAndEndsWithTheLast() {
    try (Bridge bridge = Bridge.inFrontOf(stub, "--drain-timeout=60s");
        Client client = bridge.connect()) {
      client.echo(1_000);
      assertThat(bridge.admin().status("/readyz")).isEqualTo(200);
      bridge.process().signal("TERM");
      await().until(() -> bridge.admin().status("/readyz") == 503);
      assertThat(bridge.admin().status("/healthz")).isEqualTo(200);
      await()
          .untilAsserted(() ->
              Assertions.assertThatThrownBy(bridge::connect)
                  .isInstanceOf(UncheckedIOException.class));
      client.echo(100_000).end().expectEnd();
      bridge.assertClosed(client, "done");
      assertThat(bridge.process().exitCode(Duration.ofSeconds(15))).isZero();
    }
  }

  @Test
  void sigterm_afterTheDrainTimeout_closesRemainingConnections() {
    try (Bridge bridge = Bridge.inFrontOf(stub, "--drain-timeout=500ms");
        Client client = bridge.connect()) {
      client.echo(1_000);
      bridge.process().signal("TERM");
      client.expectEnd().end();
      assertThat(bridge.process().exitCode(Duration.ofSeconds(15))).isZero();
      assertThat(bridge.awaitClosed(client))
          .containsEntry("reason", "bridge_stopped")
          .containsEntry("ended-by", "bridge");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"TERM", "INT"})
  void secondSignal_whileDraining_endsAtOnce(String signal) throws IOException {
    assumeTrue(
        !signal.equals("INT") || !Waymark.isIgnoredHere("INT"),
        "SIGINT is ignored here, as in a shell's background job, and child processes inherit that");
    try (Bridge bridge = Bridge.inFrontOf(stub, "--drain-timeout=10m");
        Client client = bridge.connect()) {
      client.echo(1_000);
      bridge.process().signal(signal);
      await().until(() -> bridge.admin().status("/readyz") == 503);
      bridge.process().signal(signal);
      assertThat(bridge.process().exitCode(Duration.ofSeconds(15))).isZero();
      client.expectGone();
    }
  }

  @Test
  void sigterm_whileWaitingForUpstreams_endsAtOnceWithoutListening() throws IOException {
    Path file = Files.writeString(Files.createTempFile("waymark", ".yml"), "start-timeout: 10m\n");
    String dead = "127.0.0.1:" + Waymark.freePort();
    try (Waymark bridge =
        Waymark.start(
            "bridge",
            "--config=" + file,
            "--listen=127.0.0.1:0",
            "--admin=127.0.0.1:0",
            "--upstream=static:///" + dead)) {
      bridge.awaitLine("upstream-found");
      bridge.signal("TERM");
      assertThat(bridge.exitCode(Duration.ofSeconds(15))).as(bridge.describe()).isZero();
      assertThat(bridge.stderr()).doesNotContain("listener-open").doesNotContain("\tat ");
      assertThat(bridge.stdout()).isEmpty();
    } finally {
      Files.delete(file);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"--listen", "--admin"})
  void portInUse_isNamedWithItsFlagAndNothingStarts(String flag) throws IOException {
    String other = flag.equals("--listen") ? "--admin" : "--listen";
    try (var held = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        Waymark bridge =
            Waymark.start(
                "bridge",
                flag + "=127.0.0.1:" + held.getLocalPort(),
                other + "=127.0.0.1:0",
                "--upstream=static:///" + stub.address())) {
      assertThat(bridge.exitCode()).as(bridge.describe()).isEqualTo(1);
      assertThat(bridge.stderr())
          .contains("port " + held.getLocalPort())
          .contains(flag)
          .doesNotContain("\tat ");
      assertThat(bridge.stdout()).isEmpty();
    }
  }
}
