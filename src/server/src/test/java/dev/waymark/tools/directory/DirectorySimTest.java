package dev.waymark.tools.directory;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.registry.Instance;
import dev.waymark.registry.Instance.Health;
import dev.waymark.registry.LoadReport;
import dev.waymark.registry.table.Table;
import dev.waymark.registry.table.TableLimits;
import dev.waymark.registry.wire.WatchedService;
import dev.waymark.v1.WatchResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * A directory, nodes and watchers that start, crash, freeze and come back in any order, on virtual
 * time: whatever happened, all end with the same table; and an instance whose node was there all
 * the time is never lost to a watcher that has seen it, however often the directory is.
 *
 * <p>One seed: {@code -Dwaymark.sim.seed=N}; more of them: {@code -Dwaymark.sim.seeds=N}.
 */
class DirectorySimTest {
  private static final int SEEDS = Integer.getInteger("waymark.sim.seeds", 500);
  private static final long MS = TimeUnit.MILLISECONDS.toNanos(1);
  private static final long TTL = 10_000 * MS;
  private static final long STEP = 250 * MS;
  private static final int CHAOS_STEPS = 400;

  /** Three TTLs: the last fault is forgotten. */
  private static final int CALM_STEPS = 120;

  @Test
  void anyOrderOfStartsAndCrashes_endsInTheSameTable() {
    Optional<Integer> one = Optional.ofNullable(Integer.getInteger("waymark.sim.seed"));
    for (int seed = one.orElse(0); seed < one.map(n -> n + 1).orElse(SEEDS); seed++) {
      new World(seed).run();
    }
  }

  private static final class World {
    final SplittableRandom random;
    final String name;
    final List<Node> nodes = new ArrayList<>();
    final List<Watcher> watchers = new ArrayList<>();
    @Nullable Directory directory;
    long now = 1_000 * MS;
    long epoch;

    World(int seed) {
      this.random = new SplittableRandom(seed);
      this.name = "seed " + seed;
      for (int i = 0; i < 6; i++) {
        nodes.add(new Node("node" + i, i < 2));
      }
      for (int i = 0; i < 3; i++) {
        watchers.add(new Watcher());
      }
    }

    void run() {
      for (int i = 0; i < CHAOS_STEPS; i++) {
        fault();
        step();
      }
      calm();
      for (int i = 0; i < CALM_STEPS; i++) {
        step();
      }
      Set<String> expected = new TreeSet<>();
      nodes.stream().filter(node -> node.isUp).forEach(node -> expected.addAll(node.addresses));
      assertThat(Objects.requireNonNull(directory).addresses()).as(name).isEqualTo(expected);
      for (Watcher watcher : watchers) {
        assertThat(new TreeSet<>(watcher.service.instances().keySet()))
            .as(name)
            .isEqualTo(expected);
        assertThat(watcher.service.keptCount()).as(name).isZero();
      }
    }

    private void fault() {
      switch (random.nextInt(40)) {
        case 0 -> directory = null;
        case 1, 2 -> directory = directory == null ? new Directory(this) : directory;
        case 3, 4 -> anyNode().crash();
        case 5, 6, 7 -> anyNode().startUp();
        case 8 -> anyNode().stop(this);
        case 9 -> anyNode().freeze(random.nextInt(80));
        case 10 -> anyNode().breakOff(this);
        case 11 -> anyNode().change(random);
        case 12, 13 -> watchers.get(random.nextInt(3)).breakOff();
        case 14 -> watchers.set(random.nextInt(3), new Watcher());
        case 15, 16 -> watchers.get(random.nextInt(3)).isReading ^= true;
        default -> {}
      }
    }

    /** One that may fail. */
    private Node anyNode() {
      return nodes.get(2 + random.nextInt(4));
    }

    private void calm() {
      directory = directory == null ? new Directory(this) : directory;
      nodes.forEach(node -> node.frozenSteps = 0);
      watchers.forEach(watcher -> watcher.isReading = true);
    }

    private void step() {
      now += STEP;
      nodes.forEach(node -> node.step(this));
      if (directory != null) {
        directory.tick(now);
      }
      watchers.forEach(watcher -> watcher.step(this));
      for (Watcher watcher : watchers) {
        assertThat(watcher.service.instances().keySet())
            .as(name)
            .containsAll(watcher.steady(nodes));
      }
    }
  }

  /** What a directory process has in memory. */
  private static final class Directory {
    final Table table =
        new Table(
            new TableLimits(Duration.ofNanos(TTL), 100, 1_000, 100, 16, Duration.ofSeconds(60)));
    final ServerFacts facts;
    final WatchFeed feed;

    Directory(World world) {
      facts = new ServerFacts(++world.epoch, world.now, Duration.ofNanos(TTL), false);
      feed = new WatchFeed(table, facts);
    }

    void tick(long now) {
      table.tick(now);
      feed.tick(now);
    }

    Set<String> addresses() {
      Set<String> all = new TreeSet<>();
      table.instances("echo").forEach(entry -> all.add(entry.instance().address()));
      return all;
    }
  }

  /** A node as its client behaves: it calls again and again, and sends heartbeats. */
  private static final class Node {
    final String name;
    final boolean isSteady;
    final Set<String> addresses = new TreeSet<>();
    boolean isUp;
    @Nullable Directory connectedTo;
    long session;
    int waitSteps;
    int frozenSteps;
    int toHeartbeat;

    Node(String name, boolean isSteady) {
      this.name = name;
      this.isSteady = isSteady;
      this.isUp = isSteady;
      addresses.add("10.0.0." + name.charAt(4) + ":1");
      if (name.equals("node5")) {
        // The same instance as that of another node.
        addresses.add("10.0.0.4:1");
      }
    }

    void startUp() {
      isUp = true;
    }

    /** kill -9. */
    void crash() {
      loseSession(0);
      isUp = false;
      frozenSteps = 0;
    }

    void stop(World world) {
      if (session != 0 && connectedTo != null && connectedTo == world.directory) {
        connectedTo.table.leave(name, session, world.now);
      }
      session = 0;
      isUp = false;
    }

    void freeze(int steps) {
      frozenSteps = steps;
    }

    void breakOff(World world) {
      loseSession(world.now);
    }

    private void loseSession(long now) {
      if (session != 0 && connectedTo != null) {
        connectedTo.table.lose(name, session, now);
      }
      session = 0;
      waitSteps = 2;
    }

    void change(SplittableRandom random) {
      String extra = "10.1." + name.charAt(4) + "." + random.nextInt(3) + ":1";
      if (!addresses.remove(extra)) {
        addresses.add(extra);
      }
      // A client tells at once; here with its next call.
      waitSteps = 0;
      session = 0;
    }

    void step(World world) {
      if (!isUp || frozenSteps-- > 0) {
        return;
      }
      if (session != 0 && connectedTo != world.directory) {
        session = 0;
        waitSteps = world.random.nextInt(8);
      }
      if (session != 0 && !isKnown()) {
        session = 0;
      }
      Directory there = world.directory;
      if (session == 0 && there != null && waitSteps-- <= 0) {
        connectedTo = there;
        session = there.table.open(name, TTL, instances(), new ArrayList<>(), world.now);
      } else if (session != 0 && there != null && toHeartbeat-- <= 0) {
        toHeartbeat = 12;
        there.table.change(name, session, List.of(), List.of(), new ArrayList<>(), world.now);
      }
    }

    /** The directory ends the call of a node that has expired. */
    private boolean isKnown() {
      return connectedTo != null
          && connectedTo.table.nodes(0).stream()
              .anyMatch(view -> view.node().equals(name) && !view.isExpired());
    }

    private List<Instance> instances() {
      return addresses.stream()
          .map(address ->
              new Instance("echo", address, 1, 0, Map.of(), Health.HEALTHY, LoadReport.UNKNOWN))
          .toList();
    }
  }

  /** A watcher that goes on from its version after each break. */
  private static final class Watcher {
    final WatchedService service = new WatchedService("echo");
    final Set<String> seen = new HashSet<>();
    boolean isReading = true;
    @Nullable Directory connectedTo;
    WatchFeed.@Nullable Reader reader;
    long heardNs;

    void breakOff() {
      reader = null;
      service.onTableBroken();
    }

    void step(World world) {
      if (reader != null && connectedTo != world.directory) {
        breakOff();
      }
      Directory there = world.directory;
      if (there == null || !isReading) {
        return;
      }
      WatchFeed.Reader current = reader == null ? connect(there, world.random) : reader;
      boolean isEmpty = false;
      for (int i = world.random.nextInt(4); i > 0 && !isEmpty; i--) {
        Optional<byte[]> message = current.next(world.now);
        message.ifPresent(bytes -> receive(bytes, world.now));
        isEmpty = message.isEmpty();
      }
      if (isEmpty && world.now - heardNs > TTL / 3) {
        receive(there.feed.heartbeat(current.version(), world.now), world.now);
      }
      seen.addAll(service.instances().keySet());
    }

    private WatchFeed.Reader connect(Directory to, SplittableRandom random) {
      connectedTo = to;
      long from = service.epoch() == to.facts.epoch() ? service.version() : 0;
      WatchFeed.Reader opened =
          random.nextBoolean() ? to.feed.new All(from) : to.feed.new Some(Set.of("echo"), from);
      reader = opened;
      return opened;
    }

    private void receive(byte[] bytes, long now) {
      try {
        service.onResponse(WatchResponse.parseFrom(bytes));
        heardNs = now;
      } catch (com.google.protobuf.InvalidProtocolBufferException defect) {
        throw new AssertionError(defect);
      }
    }

    /** The instances of nodes that never fail, which this watcher has seen. */
    Set<String> steady(List<Node> nodes) {
      Set<String> steady = new TreeSet<>();
      nodes.stream().filter(node -> node.isSteady).forEach(node -> steady.addAll(node.addresses));
      steady.retainAll(seen);
      return steady;
    }
  }
}
