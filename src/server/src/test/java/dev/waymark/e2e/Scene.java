package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * A bridge with one raw listener and one pool, and the stubs behind it: what tests of moving start
 * from. Confined to the test's thread.
 */
final class Scene implements AutoCloseable {
  private static final Duration MOVE_TIMEOUT = Duration.ofSeconds(40);

  /** A lane that breaks is tried again soon, and a stub that comes back is seen soon. */
  private static final String CONFIG =
      """
      shards: %d
      listeners: [{name: raw, address: "127.0.0.1:0", pool: moving, connections-max: 12000}]
      pools: [{name: moving, target: "%s", health-retry-max: 300ms, %s}]
      lanes: {retry-max: 300ms, %s}
      """;

  /** As many as suit the machine. */
  private static final int DEFAULT_SHARDS = 0;

  private static final String DEFAULT_CLOCK = "lane-timeout: 6s";

  private final List<Stub> stubs;
  private final Bridge bridge;
  private final List<Client> clients = new ArrayList<>();

  private Scene(List<Stub> stubs, Bridge bridge) {
    this.stubs = stubs;
    this.bridge = bridge;
  }

  /** Before so many stubs, which echo; ready when all of them are. */
  static Scene of(int stubs, String poolKeys, String... stubFlags) {
    return before(stubs(stubs, stubFlags), poolKeys);
  }

  /** The same, with a bridge of one shard: suspects of different shards are not kept apart. */
  static Scene ofOneShard(int stubs, String poolKeys, String... stubFlags) {
    return before(stubs(stubs, stubFlags), poolKeys, DEFAULT_CLOCK, 1);
  }

  /** Before these stubs, which the scene closes. */
  static Scene before(List<Stub> stubs, String poolKeys) {
    return before(stubs, poolKeys, DEFAULT_CLOCK);
  }

  /** The same, with these keys of lanes. */
  static Scene before(List<Stub> stubs, String poolKeys, String laneKeys) {
    return before(stubs, poolKeys, laneKeys, DEFAULT_SHARDS);
  }

  private static Scene before(List<Stub> stubs, String poolKeys, String laneKeys, int shards) {
    String addresses = String.join(",", stubs.stream().map(Stub::address).toList());
    Scene scene = at("static:///" + addresses, stubs, poolKeys, laneKeys, shards);
    scene.awaitServing(stubs.size());
    return scene;
  }

  /** Before a target under which these stubs may be found. */
  static Scene at(String target, List<Stub> stubs, String poolKeys) {
    return at(target, stubs, poolKeys, DEFAULT_CLOCK, DEFAULT_SHARDS);
  }

  private static Scene at(
      String target, List<Stub> stubs, String poolKeys, String laneKeys, int shards) {
    try {
      Path file = Files.createTempFile("waymark-scene", ".yml");
      try {
        Files.writeString(file, CONFIG.formatted(shards, target, poolKeys, laneKeys));
        Bridge bridge = Bridge.configured(launch -> launch.leakDetection("simple"), file);
        return new Scene(new ArrayList<>(stubs), bridge);
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** So many at once. */
  static List<Stub> stubs(int count, String... flags) {
    return together(Collections.nCopies(count, () -> stub("127.0.0.1:0", flags)));
  }

  /** As cheap as it gets: tests of moving start many. */
  static Stub stub(String address, String... flags) {
    return Stub.start(launch -> launch.leakDetection("simple").quick(), address, flags);
  }

  /** Starts all of them at once, and gives them in their order. */
  static List<Stub> together(List<Supplier<Stub>> starts) {
    Stub[] started = new Stub[starts.size()];
    List<Integer> indexes = new ArrayList<>();
    for (int i = 0; i < started.length; i++) {
      indexes.add(i);
    }
    Clients.inParallel(indexes, i -> started[i] = starts.get(i).get());
    return Arrays.asList(started);
  }

  // --- who is there ---

  Bridge bridge() {
    return bridge;
  }

  /** To every stub, by its name without SIG. */
  void signalStubs(String signal) {
    stubs.forEach(stub -> stub.process().signal(signal));
  }

  Stub stub(int index) {
    return stubs.get(index);
  }

  List<Stub> stubs() {
    return stubs;
  }

  /** Another one in the place of one that has ended. */
  void restart(int index, String... flags) {
    Stub former = stubs.get(index);
    former.close();
    stubs.set(index, stub(former.address(), flags));
  }

  /** So many more clients. */
  List<Client> connect(int count) {
    List<Client> more = Clients.connect(count, bridge.port());
    clients.addAll(more);
    return more;
  }

  Client connect() {
    return connect(1).getFirst();
  }

  /** A client that this stub owns; others of this scene may have come to be meanwhile. */
  Client connectTo(Stub stub) {
    for (int attempt = 0; attempt < 20; attempt++) {
      Client client = connect().echo(10);
      if (stub.epochs().containsKey(markOf(client))) {
        return client;
      }
    }
    throw new AssertionError("no client came to " + stub.address());
  }

  String markOf(Client client) {
    return bridge.admin().markOf(client.address());
  }

  /** The stub to which the bridge has given this client. */
  Stub ownerOf(Client client) {
    var upstream = bridge.admin().connectionOf(client.address()).get("upstream");
    return stubs.stream()
        .filter(stub -> stub.address().equals(upstream.getAsString()))
        .findFirst()
        .orElseThrow();
  }

  /** Of two stubs, this is not. */
  Stub other(Stub stub) {
    return stubs.stream().filter(each -> each != stub).findFirst().orElseThrow();
  }

  /** How many connections each of these has, by its address. */
  static Map<String, Integer> shares(List<Stub> of) {
    Map<String, Integer> shares = new TreeMap<>();
    of.forEach(stub -> shares.put(stub.address(), stub.epochs().size()));
    return shares;
  }

  // --- what is seen ---

  void awaitServing(int count) {
    await("upstreams that serve")
        .atMost(MOVE_TIMEOUT)
        .untilAsserted(() -> {
          assertThat(metric("waymark_pool_upstreams_serving")).isEqualTo(count);
          assertThat(metric("waymark_lanes_open")).isGreaterThanOrEqualTo(count);
        });
  }

  /** Waits until one upstream serves, whatever lanes there are. */
  void awaitOneServing() {
    await().until(() -> metric("waymark_pool_upstreams_serving") == 1);
  }

  /** Waits until this stub has so many connections; gives how long that took. */
  Duration awaitConnections(Stub stub, int count) {
    long startNs = System.nanoTime();
    await("connections of " + stub.address())
        .atMost(MOVE_TIMEOUT)
        .pollInterval(Duration.ofMillis(50))
        .untilAsserted(() -> assertThat(stub.epochs()).hasSize(count));
    return Duration.ofNanos(System.nanoTime() - startNs);
  }

  /** Waits until the stubs have so many connections together. */
  void awaitConnections(int count) {
    await("connections")
        .atMost(MOVE_TIMEOUT)
        .until(() -> stubs.stream().mapToInt(stub -> stub.epochs().size()).sum() == count);
  }

  long metric(String name, String... labels) {
    return bridge.admin().metric(name, labels);
  }

  long replayedBytes() {
    return metric("waymark_replayed_bytes_total");
  }

  /** Nobody was closed, by anybody. */
  void assertNoneClosed() {
    assertThat(metric("waymark_connections_closed_total")).as("closed connections").isZero();
  }

  /** Every client ends its stream and gets FIN, and nothing before it. */
  void endAll(List<Client> all) {
    Clients.inParallel(all, client -> client.end().expectEnd());
    await("ended with done")
        .untilAsserted(() ->
            assertThat(metric("waymark_connections_closed_total", "reason=\"done\""))
                .isEqualTo(all.size()));
    await("memory").until(() -> metric("waymark_memory_held_bytes") == 0);
  }

  @Override
  public void close() {
    Clients.close(clients);
    bridge.close();
    stubs.forEach(Stub::close);
  }
}
