package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Upstreams that announce their end: connections are handed over, nothing is replayed. */
final class DrainIT {
  /** To measure: -Dwaymark.drain.connections=10000. */
  private static final int MANY = Integer.getInteger("waymark.drain.connections", 4_000);

  private static final int LOADED = 2_000;

  @Test
  void upstream_draining_handsAllConnectionsOverUnderLoad() {
    handsAllOverUnderLoad("/drain");
  }

  @Test
  void upstream_noLongerServing_handsAllConnectionsOverUnderLoad() {
    handsAllOverUnderLoad("/health?status=NOT_SERVING");
  }

  private static void handsAllOverUnderLoad(String announcement) {
    try (Scene scene = Scene.of(2, "policy: round-robin")) {
      List<Client> clients = scene.connect(LOADED);
      try (Load load = Load.on(clients, 300, 1_000)) {
        await().until(() -> load.replies() > LOADED);
        Stub leaving = scene.stub(0);
        Stub heir = scene.stub(1);
        scene.awaitConnections(LOADED);
        int leavers = leaving.epochs().size();
        load.forgetPauses();
        leaving.admin().post(announcement);
        Duration took = scene.awaitConnections(leaving, 0);
        long before = load.replies();
        await().until(() -> load.replies() > before + LOADED);
        load.stop();
        System.out.printf(
            "%s: %d connections in %d ms; longest wait for a reply %s%n",
            announcement, leavers, took.toMillis(), load.pauses());
        assertThat(heir.epochs()).hasSize(LOADED);
        assertThat(leaving.stat("released")).isEqualTo(leavers);
        assertThat(leaving.stat("fenced")).isZero();
        assertThat(heir.stat("replayedOpens")).isZero();
        assertThat(load.longestPause()).isLessThan(Duration.ofSeconds(5));
      }
      assertThat(scene.replayedBytes()).isZero();
      scene.assertNoneClosed();
      scene.endAll(clients);
    }
  }

  @Test
  void drain_ofAnIdleLane_movesAtOnceAndTheLastUpstreamKeepsItsConnections() {
    try (Scene scene = Scene.of(2, "rebalance: off, drain-timeout: 1s")) {
      Stub last = scene.stub(1);
      List<Client> clients = scene.connect(50);
      Clients.inParallel(clients, client -> client.echo(10));
      scene.stub(0).admin().post("/drain");
      assertThat(scene.awaitConnections(last, 50)).isLessThan(Duration.ofSeconds(1));
      Map<String, Integer> epochs = last.epochs();
      last.admin().post("/drain");
      try (Load load = Load.on(clients, 300, 50)) {
        // Well past the drain timeout.
        await().until(() -> load.replies() > 50 * 60);
        load.stop();
      }
      assertThat(last.epochs()).isEqualTo(epochs);
      scene.assertNoneClosed();
      scene.endAll(clients);
    }
  }

  /** Half of the connections are idle, half lightly loaded; default rate of moves. */
  @Test
  void upstream_drainingManyConnections_isSoonEmpty() {
    try (Scene scene = Scene.of(2, "rebalance: off")) {
      Stub leaving = scene.stub(0);
      Stub heir = scene.stub(1);
      heir.admin().post("/health?status=NOT_SERVING");
      scene.awaitOneServing();
      List<Client> clients = scene.connect(MANY);
      scene.awaitConnections(leaving, MANY);
      heir.admin().post("/health?status=SERVING");
      scene.awaitServing(2);
      try (Load load = Load.on(clients.subList(0, MANY / 2), 200, 4_000)) {
        await().until(() -> load.replies() > MANY / 2);
        load.forgetPauses();
        leaving.admin().post("/drain");
        Duration took = scene.awaitConnections(leaving, 0);
        load.stop();
        System.out.printf(
            "drain: %d connections in %d ms; longest wait for a reply %s%n",
            MANY, took.toMillis(), load.pauses());
        // The default is 2,000 moves a second; 5 s are slack for busy machines.
        assertThat(took).isLessThan(Duration.ofMillis(MANY / 2 + 5_000));
      }
      assertThat(leaving.stat("released")).isEqualTo(MANY);
      assertThat(scene.replayedBytes()).isZero();
      scene.assertNoneClosed();
    }
  }

  @Test
  void rollingRestart_clientsNeverReconnectAndEndUpEvenlySpread() {
    int count = 5_000;
    List<Stub> stubs =
        Scene.startAll(List.of(DrainIT::fixedStub, DrainIT::fixedStub, DrainIT::fixedStub));
    try (Scene scene = Scene.inFrontOf(stubs, "moves-per-second: 5000")) {
      List<Client> clients = scene.connect(count);
      try (Load load = Load.on(clients, 100, 4_000)) {
        await().until(() -> load.replies() > count / 2);
        for (int i = 0; i < 3; i++) {
          Waymark leaving = scene.stub(i).process();
          leaving.signal("TERM");
          assertThat(leaving.exitCode()).isZero();
          assertThat(leaving.stdout()).contains("exiting, 0 connections still attached");
          scene.restart(i);
          scene.awaitServing(3);
        }
        await("shares")
            .atMost(Duration.ofSeconds(30))
            .untilAsserted(() -> {
              Map<String, Integer> shares = Scene.shares(scene.stubs());
              assertThat(shares.values().stream().mapToInt(each -> each).sum()).isEqualTo(count);
              assertThat(shares.values())
                  .allSatisfy(share -> assertThat(share).isBetween(1_500, 1_850));
            });
        load.stop();
        System.out.println(
            "rolling restart: " + Scene.shares(scene.stubs()) + ", " + load.pauses());
      }
      assertThat(scene.replayedBytes()).isZero();
      scene.assertNoneClosed();
      assertThat(scene.metric("waymark_connections_accepted_total")).isEqualTo(count);
      scene.endAll(clients);
    }
  }

  private static Stub fixedStub() {
    return Scene.stub("127.0.0.1:" + Waymark.freePort());
  }
}
