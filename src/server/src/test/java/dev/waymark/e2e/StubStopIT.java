package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How a stub ends. */
final class StubStopIT {
  private static final Duration SOON = Duration.ofSeconds(10);

  @TempDir Path folder;

  @Test
  void sigterm_withoutConnections_endsAtOnce() {
    try (Stub stub = Stub.start("--drain-timeout=10m")) {
      stub.process().signal("TERM");
      assertThat(stub.process().exitCode(SOON)).isZero();
      assertThat(stub.process().stdout()).doesNotContain("drains");
    }
  }

  @Test
  void sigterm_withoutConnections_isACleanEndForTheBridge() {
    try (Stub stub = Stub.start();
        Bridge bridge = Bridge.inFrontOf(stub)) {
      bridge.process().awaitLine("lane-open .*");
      stub.process().signal("TERM");
      assertThat(stub.process().exitCode(SOON)).isZero();
      bridge.process().awaitLine("lane-ended .*");
      assertThat(bridge.process().stderr()).doesNotContain("lane-broken");
      assertThat(bridge.admin().get("/metrics"))
          .containsPattern("waymark_lanes_broken_total\\{.*} 0")
          .containsPattern("waymark_lanes_finished_total\\{.*} [1-9]");
    }
  }

  @Test
  void sigterm_withAConnectionThatCannotMove_endsWhenTheClientDoes() {
    try (Stub stub = Stub.start("--drain-timeout=10m");
        Bridge bridge = Bridge.inFrontOf(stub);
        Client client = bridge.connect()) {
      client.echo(10);
      stub.process().signal("TERM");
      stub.process().awaitLine("stub: draining; exits when its 1 connections have moved away");
      client.echo(10);
      client.reset();
      assertThat(stub.process().exitCode(SOON)).isZero();
      assertThat(stub.process().stdout()).contains("exiting, 0 connections still attached");
    }
  }

  @Test
  void sigterm_twiceOrAfterTheDrainTimeout_endsWithConnectionsAttached() {
    try (Stub hurried = Stub.start("--drain-timeout=10m");
        Stub late = Stub.start("--drain-timeout=100ms");
        Bridge one = Bridge.inFrontOf(hurried);
        Bridge two = Bridge.inFrontOf(late);
        Client first = one.connect();
        Client second = two.connect()) {
      first.echo(10);
      second.echo(10);
      hurried.process().signal("TERM");
      hurried.process().awaitLine("stub: draining");
      hurried.process().signal("TERM");
      late.process().signal("TERM");
      assertThat(hurried.process().exitCode(SOON)).isZero();
      assertThat(late.process().exitCode(SOON)).isZero();
      assertThat(late.process().stdout()).contains("exiting, 1 connections still attached");
    }
  }

  @Test
  void rule_crash_haltsTheProcessWithAMessage() throws IOException {
    Path rules = Files.writeString(folder.resolve("rules.yml"), "- {contains: x, crash: true}");
    try (Stub stub = Stub.start("--rules=" + rules);
        Bridge bridge = Bridge.inFrontOf(stub);
        Client client = bridge.connect()) {
      client.write(new byte[] {'x'});
      assertThat(stub.process().exitCode(SOON)).isOne();
      await().until(() -> stub.process().stderr().contains("crash: a rule asks for it"));
    }
  }
}
