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
 * A bridge with one raw listener and one pool, and the stubs behind it, for tests of moving.
 * Confined to the test's thread.
 */
final class Scene implements AutoCloseable {
  private static final Duration MOVE_TIMEOUT = Duration.ofSeconds(40);

  /** Short retries: a broken lane soon reopens, and a restarted stub is soon found. */
  private static final String CONFIG =
      """
      shards: %d
      listeners: [{name: raw, address: "127.0.0.1:0", pool: moving, connections-max: 12000}]
      pools: [{name: moving, target: "%s", health-retry-max: 300ms, %s}]
      lanes: {retry-max: 300ms, %s}
      """;

  /** The bridge chooses by the number of cores. */
  private static final int DEFAULT_SHARDS = 0;

  private static final String DEFAULT_CLOCK = "lane-timeout: 6s";

  private final List<Stub> stubs;
  private final Bridge bridge;
  private final List<Client> clients = new ArrayList<>();

  private Scene(List<Stub> stubs, Bridge bridge) {
    this.stubs = stubs;
    this.bridge = bridge;
  }

  /** Starts a bridge and echoing stubs. Returns when all of them serve. */
  static Scene of(int stubs, String poolKeys, String... stubFlags) {
    return inFrontOf(stubs(stubs, stubFlags), poolKeys);
  }

  /** Starts a bridge with one shard: suspects of different shards are not kept apart. */
  static Scene ofOneShard(int stubs, String poolKeys, String... stubFlags) {
    return inFrontOf(stubs(stubs, stubFlags), poolKeys, DEFAULT_CLOCK, 1);
  }

  /** Starts a bridge in front of these stubs, which the scene will close. */
  static Scene inFrontOf(List<Stub> stubs, String poolKeys) {
    return inFrontOf(stubs, poolKeys, DEFAULT_CLOCK);
  }

  /** Starts a bridge with these lane keys in front of these stubs. */
  static Scene inFrontOf(List<Stub> stubs, String poolKeys, String laneKeys) {
    return inFrontOf(stubs, poolKeys, laneKeys, DEFAULT_SHARDS);
  }

  private static Scene inFrontOf(List<Stub> stubs, String poolKeys, String laneKeys, int shards) {
    String addresses = String.join(",", stubs.stream().map(Stub::address).toList());
    Scene scene = at("static:///" + addresses, stubs, poolKeys, laneKeys, shards);
    scene.awaitServing(stubs.size());
    return scene;
  }

  /** Starts a bridge with this target, which may lead to these stubs. Does not wait for them. */
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

  /** Starts {@code count} stubs at once. */
  static List<Stub> stubs(int count, String... flags) {
    return startAll(Collections.nCopies(count, () -> stub("127.0.0.1:0", flags)));
  }

  /** Starts a stub as cheaply as possible, since these tests start many. */
  static Stub stub(String address, String... flags) {
    return Stub.start(launch -> launch.leakDetection("simple").quick(), address, flags);
  }

  /** Starts all of them at once and returns them in the given order. */
  static List<Stub> startAll(List<Supplier<Stub>> starts) {
    Stub[] started = new Stub[starts.size()];
    List<Integer> indexes = new ArrayList<>();
    for (int i = 0; i < started.length; i++) {
      indexes.add(i);
    }
    Clients.inParallel(indexes, i -> started[i] = starts.get(i).get());
    return Arrays.asList(started);
  }

  // --- bridge, stubs and clients ---

  Bridge bridge() {
    return bridge;
  }

  /** Sends a signal, by its name without SIG, to every stub. */
  void signalStubs(String signal) {
    stubs.forEach(stub -> stub.process().signal(signal));
  }

  Stub stub(int index) {
    return stubs.get(index);
  }

  List<Stub> stubs() {
    return stubs;
  }

  /** Replaces a stub that has ended with a new one on its address. */
  void restart(int index, String... flags) {
    Stub former = stubs.get(index);
    former.close();
    stubs.set(index, stub(former.address(), flags));
  }

  /** Connects {@code count} more clients. */
  List<Client> connect(int count) {
    List<Client> more = Clients.connect(count, bridge.port());
    clients.addAll(more);
    return more;
  }

  Client connect() {
    return connect(1).getFirst();
  }

  /** Connects a client that this stub owns, and possibly others on the way. */
  Client connectTo(Stub stub) {
    for (int attempt = 0; attempt < 20; attempt++) {
      Client client = connect().echo(10);
      if (stub.epochs().containsKey(markOf(client))) {
        return client;
      }
    }
    throw new AssertionError(stub.address() + " got no client");
  }

  String markOf(Client client) {
    return bridge.admin().markOf(client.address());
  }

  /** Returns the stub that owns this client. */
  Stub ownerOf(Client client) {
    var upstream = bridge.admin().connectionOf(client.address()).get("upstream");
    return stubs.stream()
        .filter(stub -> stub.address().equals(upstream.getAsString()))
        .findFirst()
        .orElseThrow();
  }

  /** Returns the first other stub. */
  Stub other(Stub stub) {
    return stubs.stream().filter(each -> each != stub).findFirst().orElseThrow();
  }

  /** Returns the number of connections of each stub, by its address. */
  static Map<String, Integer> shares(List<Stub> of) {
    Map<String, Integer> shares = new TreeMap<>();
    of.forEach(stub -> shares.put(stub.address(), stub.epochs().size()));
    return shares;
  }

  // --- observations ---

  void awaitServing(int count) {
    await("SERVING upstreams")
        .atMost(MOVE_TIMEOUT)
        .untilAsserted(() -> {
          assertThat(metric("waymark_pool_upstreams_serving")).isEqualTo(count);
          assertThat(metric("waymark_lanes_open")).isGreaterThanOrEqualTo(count);
        });
  }

  /** Waits until one upstream is SERVING, regardless of lanes. */
  void awaitOneServing() {
    await().until(() -> metric("waymark_pool_upstreams_serving") == 1);
  }

  /** Waits until this stub has {@code count} connections and returns how long that took. */
  Duration awaitConnections(Stub stub, int count) {
    long startNs = System.nanoTime();
    await("connections of " + stub.address())
        .atMost(MOVE_TIMEOUT)
        .pollInterval(Duration.ofMillis(50))
        .untilAsserted(() -> assertThat(stub.epochs()).hasSize(count));
    return Duration.ofNanos(System.nanoTime() - startNs);
  }

  /** Waits until the stubs have {@code count} connections in total. */
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

  /** Asserts that no connection was closed, by whichever side. */
  void assertNoneClosed() {
    assertThat(metric("waymark_connections_closed_total")).as("closed connections").isZero();
  }

  /** Ends every client's stream and expects FIN with no bytes before it. */
  void endAll(List<Client> all) {
    Clients.inParallel(all, client -> client.end().expectEnd());
    await("connections closed as done")
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
