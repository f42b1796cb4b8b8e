package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.channel.epoll.Epoll;
import io.netty.channel.uring.IoUring;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every transport that works on this machine carries bytes, FIN and RST. */
final class TransportsIT {
  private static Stub stub;

  @BeforeAll
  static void start() {
    stub = Stub.start();
  }

  @AfterAll
  static void stop() {
    stub.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"nio", "epoll", "io_uring"})
  void transport_whereItWorks_carriesBytesFinAndRst(String transport) {
    assumeWorks(transport);
    try (Bridge bridge = Bridge.inFrontOf(stub, "--transport=" + transport, "--shards=2")) {
      bridge.process().awaitLineWith("bridge-started", "transport=" + transport);
      assertEcho(bridge);
      assertReset(bridge);
      assertResetAndStall(bridge);
      assertThat(bridge.admin().metric("waymark_memory_held_bytes")).isZero();
      bridge.lookForLeaks();
      assertThat(bridge.process().stop()).isZero();
    }
  }

  @Test
  void auto_withoutANativeLibrary_logsTheReasonAndTheConsequence() {
    try (Bridge bridge =
        Bridge.start(
            launch ->
                launch.quick().env("JDK_JAVA_OPTIONS", "-Dio.netty.native.workdir=/proc/waymark"),
            Bridge.flagsOf(List.of(stub)))) {
      bridge
          .process()
          .awaitLineWith(
              "WARN  degraded what=\"transport nio\"", "reason=", "user-timeout does nothing");
      bridge.connect().echo(1_000).close();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"epoll", "io_uring"})
  void transport_configuredButNotAvailable_isAConfigurationError(String transport) {
    try (Waymark bridge =
        Waymark.command("bridge", "--transport=" + transport, "--echo=127.0.0.1:0")
            .env("JDK_JAVA_OPTIONS", "-Dio.netty.transport.noNative=true")
            .start()) {
      assertThat(bridge.exitCode()).isEqualTo(2);
      assertThat(bridge.stderr())
          .contains("transport: " + transport + " does not work here (")
          .contains("use transport: auto")
          .doesNotContain("Exception");
    }
  }

  /** Skips the test, with the reason, if the transport does not work here. */
  static void assumeWorks(String transport) {
    assumeTrue(
        !transport.equals("epoll") || Epoll.isAvailable(),
        () -> String.valueOf(Epoll.unavailabilityCause()));
    assumeTrue(
        !transport.equals("io_uring") || IoUring.isAvailable(),
        () -> String.valueOf(IoUring.unavailabilityCause()));
  }

  private static void assertEcho(Bridge bridge) {
    List<Client> clients = Clients.connect(20, bridge.port());
    Clients.inParallel(clients, client -> client.echo(1 << 20).end().expectEnd());
    for (Client client : clients) {
      assertThat(bridge.awaitClosed(client))
          .containsEntry("reason", "done")
          .containsEntry("ended-by", "client");
    }
    Clients.close(clients);
  }

  private static void assertReset(Bridge bridge) {
    Client client = bridge.connect();
    client.echo(1_000).reset();
    assertThat(bridge.awaitClosed(client))
        .containsEntry("reason", "client_reset")
        .containsEntry("ended-by", "client");
    await().until(() -> stub.marks().isEmpty());
  }

  /** A client that gets RST, and one that stops reading and later continues. */
  private static void assertResetAndStall(Bridge bridge) {
    try (Client client = bridge.connect()) {
      client.echo(1_000);
      stub.admin().post("/close?mark=" + stub.marks().getFirst() + "&code=ABORT");
      client.expectGone();
      bridge.assertClosed(client, "abort");
    }
    try (Client slow = Client.connectNarrow(bridge.port());
        var sender = Clients.inBackground(() -> slow.send(16 << 20).end())) {
      await().until(() -> bridge.admin().metric("waymark_client_reading_paused_total") > 0);
      slow.expect(16 << 20).expectEnd();
      sender.join();
      bridge.assertClosed(slow, "done");
    }
  }
}
