package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Upstreams that fall silent without breaking: frozen, hanging, or behind a lost link. */
final class FreezeIT {
  private static final String CLOCK = "ping-interval: 500ms, lane-timeout: 2s";

  /** The lane timeout, with slack for a busy machine. */
  private static final Duration DETECTION_MAX = Duration.ofSeconds(6);

  @TempDir private static Path folder;

  private static String rules(String text) throws IOException {
    return "--rules=" + Files.writeString(Files.createTempFile(folder, "rules", ".yml"), text);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static List<Stub> oneAndTwo(String flagOfOne, String flagOfTwo) {
    return Scene.startAll(
        List.of(
            () -> Scene.stub("127.0.0.1:0", "--name=one", flagOfOne),
            () -> Scene.stub("127.0.0.1:0", "--name=two", flagOfTwo)));
  }

  @Test
  void upstream_frozen_losesItsConnectionsAndIsIgnoredWhenItWakesUp() throws IOException {
    String rules = rules("- {contains: \"who, later?\", reply: \"${name}\", delay: 1s}\n");
    try (Scene scene = Scene.inFrontOf(oneAndTwo(rules, rules), "rebalance: off", CLOCK)) {
      Stub frozen = scene.stub(0);
      Stub heir = scene.stub(1);
      List<Client> clients = scene.connect(200);
      try (Load load = Load.on(clients, 300, 200)) {
        await().until(() -> load.replies() > 400);
        load.forgetPauses();
        Client asker = scene.connectTo(frozen);
        asker.write(ascii("who, later?"));
        await()
            .until(() ->
                frozen.stat("requests") > 0 && frozen.epochs().containsKey(scene.markOf(asker)));
        frozen.process().signal("STOP");
        try {
          Duration took =
              scene.awaitConnections(heir, (int) scene.metric("waymark_connections_open"));
          assertThat(took).isLessThan(DETECTION_MAX);
        } finally {
          frozen.process().signal("CONT");
        }
        scene.awaitServing(2);
        await().untilAsserted(() -> assertThat(frozen.epochs()).isEmpty());
        assertThat(asker.readExactly(3)).asString().isEqualTo("two");
        long before = load.replies();
        await().until(() -> load.replies() > before + 400);
        load.stop();
        System.out.println("frozen: longest wait for a reply " + load.pauses());
        assertThat(load.longestPause()).isLessThan(DETECTION_MAX);
        // Half of the clients moved, each after a silence of at least the lane timeout.
        long pauses = scene.metric("waymark_pause_seconds_count");
        assertThat(scene.metric("waymark_pause_detection_seconds_sum"))
            .isGreaterThanOrEqualTo(2 * pauses)
            .isPositive();
        asker.end().expectEnd();
      }
      Clients.inParallel(clients, client -> client.end().expectEnd());
      await()
          .untilAsserted(() ->
              assertThat(scene.metric("waymark_connections_closed_total"))
                  .isEqualTo(scene.metric("waymark_connections_closed_total", "reason=\"done\"")));
    }
  }

  @Test
  void handlers_hangingOrLate_loseOnlyTheirConnectionsAndTheLaneFlows() throws IOException {
    String faults =
        rules(
            """
            - {contains: "hang here", hang: true}
            - {contains: "late here", reply: "too late", delay: 4s}
            """);
    try (Scene scene =
        Scene.inFrontOf(oneAndTwo(faults, "--delay=0ms"), "rebalance: off, progress-timeout: 2s")) {
      Stub stuck = scene.stub(0);
      Stub heir = scene.stub(1);
      List<Client> clients = scene.connect(50);
      Client hung = scene.connectTo(stuck);
      Client late = scene.connectTo(stuck);
      List<String> moving = List.of(scene.markOf(hung), scene.markOf(late));
      try (Load load = Load.on(clients, 300, 50)) {
        await().until(() -> load.replies() > 100);
        load.forgetPauses();
        Map<String, Integer> others = new HashMap<>(stuck.epochs());
        others.keySet().removeAll(moving);
        long startNs = System.nanoTime();
        hung.write(ascii("hang here"));
        late.write(ascii("late here"));
        assertThat(hung.readExactly(9)).asString().isEqualTo("hang here");
        assertThat(late.readExactly(9)).asString().isEqualTo("late here");
        assertThat(Duration.ofNanos(System.nanoTime() - startNs))
            .isBetween(Duration.ofMillis(1_900), DETECTION_MAX);
        assertThat(heir.epochs()).containsEntry(moving.get(0), 1).containsEntry(moving.get(1), 1);
        assertThat(stuck.epochs()).isEqualTo(others);
        assertThat(stuck.stat("fenced")).isEqualTo(2);
        for (String mark : moving) {
          scene
              .bridge()
              .process()
              .awaitLineWith(
                  " WARN ",
                  " connection-taken mark=" + mark,
                  " upstream=" + stuck.address() + " reason=stalled silent-ms=2");
        }
        // Meanwhile the late reply is sent, but its connection has moved.
        await().during(Duration.ofSeconds(3)).until(() -> stuck.process().isAlive());
        load.stop();
        assertThat(load.longestPause()).isLessThan(Duration.ofMillis(1_500));
      }
      scene.assertNoneClosed();
      late.end().expectEnd();
      hung.end().expectEnd();
    }
  }

  @Test
  void bridge_frozen_blamesNoUpstreamForItsOwnPause() {
    Duration pause = Duration.ofMillis(1_200);
    try (Scene scene =
        Scene.inFrontOf(
            oneAndTwo("--delay=400ms", "--delay=400ms"),
            "rebalance: off, progress-timeout: 1s",
            "ping-interval: 200ms, lane-timeout: 800ms")) {
      List<Client> clients = scene.connect(4);
      clients.forEach(client -> client.write(ascii("slow")));
      await().until(() -> scene.stub(0).stat("requests") + scene.stub(1).stat("requests") == 4);
      Waymark bridge = scene.bridge().process();
      bridge.signal("STOP");
      // Like a suspended host: upstreams have sent nothing when the bridge wakes up.
      scene.signalStubs("STOP");
      await().pollDelay(pause).until(() -> true);
      bridge.signal("CONT");
      bridge.awaitLineWith(" WARN ", " loop-late ", " loop=shard-0 ");
      scene.signalStubs("CONT");
      clients.forEach(client -> assertThat(client.readExactly(4)).asString().isEqualTo("slow"));
      assertThat(scene.metric("waymark_lanes_broken_total")).isZero();
      assertThat(scene.metric("waymark_connections_moved_total")).isZero();
      assertThat(scene.metric("waymark_upstream_ejections_total")).isZero();
      assertThat(scene.metric("waymark_event_loop_standstill_seconds_count")).isPositive();
      scene.assertNoneClosed();
    }
  }

  @Test
  void link_lost_isDetectedByPing() {
    LostLink.assumePossible();
    String host = "127.77.0.1";
    List<Stub> stubs =
        Scene.startAll(List.of(() -> Scene.stub(host + ":0"), () -> Scene.stub("127.0.0.1:0")));
    try (Scene scene = Scene.inFrontOf(stubs, "rebalance: off", CLOCK)) {
      List<Client> clients = scene.connect(100);
      try (Load load = Load.on(clients, 300, 100)) {
        await().until(() -> load.replies() > 200);
        load.forgetPauses();
        try (LostLink _ = LostLink.to(host)) {
          assertThat(scene.awaitConnections(scene.stub(1), 100)).isLessThan(DETECTION_MAX);
          long before = load.replies();
          await().until(() -> load.replies() > before + 200);
          load.stop();
        }
        System.out.println("lost link: longest wait for a reply " + load.pauses());
      }
      scene.assertNoneClosed();
      scene.endAll(clients);
    }
  }

  /** Without acknowledgements, bytes in flight are lost with the link: at most once. */
  @Test
  void link_lostWithoutAcknowledgements_isDetectedByTheKernel() {
    LostLink.assumePossible();
    String host = "127.77.0.2";
    List<Stub> stubs =
        Scene.startAll(
            List.of(
                () -> Scene.stub(host + ":0", "--no-ack"),
                () -> Scene.stub("127.0.0.1:0", "--no-ack")));
    try (Scene scene =
        Scene.inFrontOf(stubs, "rebalance: off, user-timeout: 2s, on-upstream-loss: reopen")) {
      Client client = scene.connectTo(scene.stub(0));
      try (LostLink _ = LostLink.to(host)) {
        client.write(ascii("lost"));
        Stub heir = scene.stub(1);
        await()
            .atMost(DETECTION_MAX)
            .untilAsserted(() -> assertThat(heir.epochs()).containsEntry(scene.markOf(client), 1));
        client.write(ascii("found"));
        assertThat(client.readExactly(5)).asString().isEqualTo("found");
      }
      scene.assertNoneClosed();
    }
  }
}
