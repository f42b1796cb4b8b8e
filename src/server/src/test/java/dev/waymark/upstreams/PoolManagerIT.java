package dev.waymark.upstreams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.waymark.config.BalancingKeys.Follow;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.Subset;
import dev.waymark.config.PoolConfig.Target;
import dev.waymark.engine.base.OutlierSignal;
import dev.waymark.engine.lane.UpstreamView;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A pool of three real health servers. */
class PoolManagerIT {
  @SuppressWarnings("NullAway.Init")
  private HealthServer a;

  @SuppressWarnings("NullAway.Init")
  private HealthServer b;

  @SuppressWarnings("NullAway.Init")
  private HealthServer c;

  @BeforeEach
  void start() throws IOException {
    a = new HealthServer(ServingStatus.SERVING);
    b = new HealthServer(ServingStatus.NOT_SERVING);
    c = new HealthServer(ServingStatus.NOT_SERVING);
  }

  @AfterEach
  void stop() {
    a.close();
    b.close();
    c.close();
  }

  @Test
  void leader_changes_andIsFollowed() {
    Consumer<Fixtures> following =
        p -> {
          p.target = Fixtures.fixed(a.address(), b.address(), c.address());
          p.follow = Follow.LEADER;
        };
    try (var pool = new RecordedPool(following)) {
      awaitStates(pool, "SERVING", "DOWN", "DOWN");
      a.say(ServingStatus.NOT_SERVING);
      awaitStates(pool, "DRAINING", "DOWN", "DOWN");
      c.say(ServingStatus.SERVING);
      awaitStates(pool, "DRAINING", "DOWN", "SERVING");
      b.say(ServingStatus.SERVING);
      awaitStates(pool, "DRAINING", "SERVING", "DRAINING");
      b.close();
      awaitStates(pool, "DRAINING", "DRAINING", "SERVING");
      assertThat(pool.snapshots)
          .allMatch(s -> s.upstreams().stream().filter(UpstreamView::isServing).count() <= 1);
    }
  }

  @Test
  void upstream_thatStalls_isEjectedForTheConfiguredTime() {
    b.say(ServingStatus.SERVING);
    Consumer<Fixtures> options =
        p -> {
          p.target = Fixtures.fixed(a.address(), b.address());
          p.ejectionTime = Duration.ofMillis(300);
          p.ejectionTimeMax = Duration.ofSeconds(1);
        };
    try (var pool = new RecordedPool(options)) {
      awaitStates(pool, "SERVING", "SERVING");
      pool.manager.onOutlierSignal(b.address(), OutlierSignal.STALLED);
      awaitStates(pool, "SERVING", "EJECTED");
      awaitStates(pool, "SERVING", "SERVING");
      pool.awaitEvent("returned " + b.address());
    }
  }

  @Test
  void upstream_thatAppears_getsItsWeightInSteps() {
    Consumer<Fixtures> options =
        p -> {
          p.target = Fixtures.fixed(a.address(), b.address());
          p.slowStart = Duration.ofSeconds(2);
        };
    try (var pool = new RecordedPool(options)) {
      // An upstream whose health is not known yet would count as older than the bridge.
      pool.awaitHealths(a.address() + " SERVING +", b.address() + " NOT_SERVING -");
      b.say(ServingStatus.SERVING);
      awaitStates(pool, "SERVING", "SERVING");
      await().until(() -> pool.views().getLast().slowStartPercent() == 100);
      assertThat(pool.snapshots.size()).isBetween(5, 16);
      assertThat(pool.snapshots.stream().map(s -> s.upstreams().getFirst().slowStartPercent()))
          .containsOnly(100);
    }
  }

  @Test
  void reconfigure_ofTheUserTimeout_replacesWatchesUnnoticed() {
    Consumer<Fixtures> options = p -> p.target = Fixtures.fixed(a.address(), b.address());
    b.say(ServingStatus.SERVING);
    try (var pool = new RecordedPool(options)) {
      awaitStates(pool, "SERVING", "SERVING");
      int events = pool.events.size();
      int snapshots = pool.snapshots.size();
      Duration other = Duration.ofSeconds(3);
      pool.manager.reconfigure(Fixtures.pool(options.andThen(p -> p.userTimeout = other)));
      await().until(() -> pool.userTimeouts.stream().filter(other::equals).count() == 2);
      b.say(ServingStatus.NOT_SERVING);
      awaitStates(pool, "SERVING", "DRAINING");
      assertThat(pool.events.subList(events, pool.events.size()))
          .containsExactly("health " + b.address() + " SERVING NOT_SERVING");
      assertThat(pool.snapshots).hasSize(snapshots + 1);
      assertThat(pool.userTimeouts).as("one new Watch for each upstream").hasSize(4);
    }
  }

  @Test
  void reconfigure_ofTheList_keepsTheWatchesOfThoseThatStay() {
    try (var pool = new RecordedPool(p -> p.target = Fixtures.fixed(a.address(), b.address()))) {
      awaitStates(pool, "SERVING", "DOWN");
      int events = pool.events.size();
      int snapshots = pool.snapshots.size();
      Map<String, String> canary = Map.of("version", "next");
      pool.manager.reconfigure(
          Fixtures.pool(p -> {
            p.target =
                Fixtures.fixed(
                    List.of(
                        new Endpoint(c.address(), 1, Map.of()),
                        new Endpoint(a.address(), 9, canary)));
            p.subsets = List.of(new Subset(canary, 5));
          }));
      c.say(ServingStatus.SERVING);
      pool.awaitStates(c.address() + " SERVING", a.address() + " SERVING");
      UpstreamView kept = pool.views().getLast();
      assertThat(kept.weight()).isEqualTo(9);
      assertThat(kept.subset()).isEqualTo(new UpstreamView.Subset(0, 5));
      assertThat(pool.events.subList(events, pool.events.size()))
          .contains("gone " + b.address(), "found " + c.address())
          .noneMatch(event -> event.contains(a.address()));
      assertThat(pool.snapshots.subList(snapshots, pool.snapshots.size()))
          .as("a kept upstream never stops serving")
          .filteredOn(s -> s.upstreams().getFirst().address().equals(c.address()))
          .allMatch(s -> s.upstreams().getLast().isServing());
      assertThat(pool.manager.socketAddress(b.address())).isEmpty();
    }
  }

  @Test
  void reconfigure_ofTheHealthService_keepsHealthUntilTheNewAnswer() {
    a.say("game", ServingStatus.SERVING);
    try (var pool = new RecordedPool(p -> p.target = Fixtures.fixed(a.address()))) {
      awaitOne(pool, a, "SERVING");
      int snapshots = pool.snapshots.size();
      pool.manager.reconfigure(
          Fixtures.pool(p -> {
            p.target = Fixtures.fixed(a.address());
            p.healthService = "game";
          }));
      a.say(ServingStatus.NOT_SERVING);
      a.say("game", ServingStatus.NOT_SERVING);
      awaitOne(pool, a, "DRAINING");
      assertThat(pool.snapshots).as("from SERVING to DRAINING").hasSize(snapshots + 1);
      a.say("game", ServingStatus.SERVING);
      awaitOne(pool, a, "SERVING");
    }
  }

  @Test
  void reconfigure_fromListToName_keepsTheListUntilTheNameIsResolved() {
    int port = Integer.parseInt(a.address().substring(a.address().lastIndexOf(':') + 1));
    try (var pool = new RecordedPool(p -> p.target = Fixtures.fixed(a.address(), b.address()))) {
      awaitStates(pool, "SERVING", "DOWN");
      pool.manager.reconfigure(
          Fixtures.pool(p -> p.target = new Target.Dns("", "127.0.0.1", port)));
      pool.awaitStates(a.address() + " SERVING");
      assertThat(pool.snapshots.stream().skip(1)).noneMatch(s -> s.upstreams().isEmpty());
      pool.manager.reconfigure(Fixtures.pool(p -> p.target = Fixtures.fixed(c.address())));
      pool.awaitStates(c.address() + " DOWN");
    }
  }

  private static void awaitOne(RecordedPool pool, HealthServer server, String state) {
    pool.awaitStates(server.address() + " " + state);
  }

  private void awaitStates(RecordedPool pool, String... states) {
    List<HealthServer> servers = List.of(a, b, c);
    String[] expected = new String[states.length];
    for (int i = 0; i < states.length; i++) {
      expected[i] = servers.get(i).address() + " " + states[i];
    }
    pool.awaitStates(expected);
  }
}
