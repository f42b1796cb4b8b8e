package dev.waymark.tools.directory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.waymark.registry.table.TableLimits;
import dev.waymark.telemetry.EventLog;
import dev.waymark.v1.DiscoverRequest;
import dev.waymark.v1.DiscoverResponse;
import dev.waymark.v1.DiscoverTopRequest;
import dev.waymark.v1.Instance;
import dev.waymark.v1.InstanceKey;
import dev.waymark.v1.Load;
import dev.waymark.v1.RegisterRequest;
import dev.waymark.v1.RegistryGrpc;
import dev.waymark.v1.Removed;
import dev.waymark.v1.WatchResponse;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A directory on a real socket, with clients that speak its protocol by hand. */
class DirectoryIT {
  private static final int TTL_MS = 1_500;

  private DirectoryServer directory;
  private ManagedChannel channel;

  @BeforeEach
  void start() throws IOException {
    directory = directory(new InetSocketAddress("127.0.0.1", 0), 1);
    channel = channel();
  }

  private static DirectoryServer directory(InetSocketAddress address, int seed) throws IOException {
    TableLimits limits =
        new TableLimits(
            Duration.ofMillis(TTL_MS), 1_000, 50_000, 20_000, 1_000, Duration.ofSeconds(60));
    return DirectoryServer.start(
        address,
        DirectoryOptions.open(limits),
        new EventLog(System::nanoTime),
        System::nanoTime,
        new SplittableRandom(seed));
  }

  private ManagedChannel channel() {
    return NettyChannelBuilder.forAddress(directory.address()).usePlaintext().build();
  }

  @AfterEach
  void stop() {
    channel.shutdownNow();
    directory.close();
  }

  // --- Register ---

  @Test
  void node_isToldItsTtl() throws Exception {
    assertThat(TestNode.open(channel, "a", 0).response().getTtlMs()).isEqualTo(TTL_MS);
    assertThat(TestNode.open(channel, "b", 1_000).response().getTtlMs()).isEqualTo(1_000);
    assertThat(TestNode.open(channel, "c", 3_600_000).response().getTtlMs()).isEqualTo(TTL_MS);
  }

  @Test
  void nodeWithoutAName_isRefused() throws Exception {
    Status end = TestNode.open(channel, "", 0).end();
    assertThat(end.getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(end.getDescription()).startsWith("node: missing");
  }

  @Test
  void badInstance_isRefusedAloneWithAReason() throws Exception {
    Instance good = TestNode.echo("10.0.0.1:1");
    TestNode node =
        TestNode.open(
            channel,
            "a",
            0,
            good,
            TestNode.echo("nonsense"),
            TestNode.echo("0.0.0.0:1"),
            good.toBuilder().setService("a b").build(),
            good.toBuilder().setWeight(1_001).build(),
            good.toBuilder().setPriority(101).build(),
            good.toBuilder().putLabels("", "x").build(),
            good.toBuilder().putLabels("a", "x\n").build(),
            good.toBuilder().setHealthValue(9).build(),
            good.toBuilder().setLoad(Load.newBuilder().setUtilisation(Double.NaN)).build());
    assertThat(node.response().getRefusedList())
        .extracting(refused -> refused.getReason())
        .containsExactly(
            "address: nonsense (expected: HOST:PORT, such as 127.0.0.1:7000 or [::1]:7000)",
            "address: 0.0.0.0:1 (expected: an address that others can reach, not that of all interfaces)",
            "service: a b (expected: 1 to 253 of A-Z, a-z, 0-9, ., _ and -)",
            "weight: 1001 (expected: 0 to 1000)",
            "priority: 101 (expected: 0 to 100)",
            "name of a label:  (expected: 1 to 63 of A-Z, a-z, 0-9, ., _, / and -)",
            "label a: x? (expected: at most 253 characters without control characters)",
            "health: 9 (expected: HEALTHY, DRAINING or UNHEALTHY)",
            "load.utilisation: NaN (expected: 0 to 100.0)");
    assertThat(discover(9)).containsExactly("10.0.0.1:1");
  }

  @Test
  void spellingsOfAnAddress_areOneInstance() throws Exception {
    TestNode.open(
            channel, "a", 0, TestNode.echoes("[0:0::1]:7", "[::1]:7", "HOST.test:1", "host.test:1"))
        .response();
    assertThat(discover(9)).containsExactlyInAnyOrder("[::1]:7", "host.test:1");
  }

  @Test
  void nodeThatHalfCloses_isGoneAtOnce() throws Exception {
    TestNode node = TestNode.open(channel, "a", 0, TestNode.echo("10.0.0.1:1"));
    node.response();
    node.leave();
    assertThat(node.end().isOk()).isTrue();
    assertThat(discover(1)).isEmpty();
  }

  @Test
  void nodeThatBreaksOff_isGoneAfterItsTtl() throws Exception {
    TestWatcher watcher = TestWatcher.open(channel);
    TestNode node = TestNode.open(channel, "a", 0, TestNode.echo("10.0.0.1:1"));
    node.response();
    node.breakOff();
    assertThat(discover(1)).containsExactly("10.0.0.1:1");
    await().until(() -> discover(1).isEmpty());
    await().until(() -> removals(watcher).contains(Removed.Cause.EXPIRED));
  }

  @Test
  void nodeThatIsSilent_isGoneAfterItsTtlAndToldSo() throws Exception {
    TestNode node = TestNode.open(channel, "a", 0, TestNode.echo("10.0.0.1:1"));
    node.response();
    await().until(() -> discover(1).isEmpty());
    assertThat(node.end().getCode()).isEqualTo(Status.Code.NOT_FOUND);
    TestNode.open(channel, "a", 0, TestNode.echo("10.0.0.1:1")).response();
    assertThat(discover(1)).containsExactly("10.0.0.1:1");
  }

  @Test
  void secondCallOfANode_takesThePlaceOfTheFirst() throws Exception {
    TestNode first = TestNode.open(channel, "a", 0, TestNode.echoes("10.0.0.1:1", "10.0.0.2:1"));
    first.response();
    TestNode.open(channel, "a", 0, TestNode.echo("10.0.0.2:1")).response();
    assertThat(first.end().getCode()).isEqualTo(Status.Code.ABORTED);
    assertThat(discover(9)).containsExactly("10.0.0.2:1");
  }

  @Test
  void nodeThatSendsWithoutEnd_isStoppedAlone() throws Exception {
    TestNode node = TestNode.open(channel, "a", 0, TestNode.echo("10.0.0.1:1"));
    for (int i = 0; i < 5_000 && !node.hasEnded(); i++) {
      node.heartbeat();
    }
    assertThat(node.end().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    TestNode other = TestNode.open(channel, "b", 0, TestNode.echo("10.0.0.2:1"));
    assertThat(other.response().getRefusedCount()).isZero();
  }

  // --- Watch ---

  @Test
  void watcher_getsTheTableAndThenChanges() throws Exception {
    TestNode node = TestNode.open(channel, "a", 60_000, TestNode.echo("10.0.0.1:1"));
    node.response();
    TestWatcher watcher = TestWatcher.open(channel, "echo");
    await().until(() -> watcher.keys().equals(Set.of("echo@10.0.0.1:1")));
    assertThat(watcher.responses.getFirst().getReset()).isTrue();
    node.put(TestNode.echo("10.0.0.2:1"));
    await().until(() -> watcher.keys().size() == 2);
    node.send(
        RegisterRequest.newBuilder()
            .addRemove(InstanceKey.newBuilder().setService("echo").setAddress("10.0.0.1:1"))
            .build());
    await().until(() -> watcher.keys().equals(Set.of("echo@10.0.0.2:1")));
    assertThat(removals(watcher)).containsExactly(Removed.Cause.DEREGISTERED);
    assertThat(watcher.responses.stream().filter(WatchResponse::getReset)).hasSize(1);
  }

  @Test
  void watcherOfAnEmptyDirectory_getsAnEmptyTableAndHeartbeats() {
    TestWatcher watcher = TestWatcher.open(channel);
    await().until(() -> watcher.responses.size() >= 3);
    assertThat(watcher.responses)
        .extracting(WatchResponse::getReset)
        .startsWith(true, false, false);
    assertThat(watcher.last().getHeartbeatMs()).isEqualTo(TTL_MS / 3);
    assertThat(watcher.last().getTtlMs()).isEqualTo(TTL_MS);
    assertThat(watcher.last().getUptimeMs()).isPositive();
  }

  @Test
  void watcherThatComesBack_getsJustWhatChanged() throws Exception {
    TestNode node = TestNode.open(channel, "a", 60_000, many(3_000));
    node.response();
    TestWatcher first = TestWatcher.open(channel);
    await().until(() -> first.keys().size() == 3_000);
    first.close();
    node.put(TestNode.echo("10.9.9.9:1"));
    node.response();
    TestWatcher again =
        TestWatcher.from(channel, first.last().getEpoch(), first.last().getVersion());
    await().until(() -> again.keys().equals(Set.of("echo@10.9.9.9:1")));
    assertThat(again.responses).noneMatch(WatchResponse::getReset);
  }

  @Test
  void watcherOfAnotherEpochOrOfTooLongAgo_getsTheWholeTable() throws Exception {
    TestNode node = TestNode.open(channel, "a", 60_000, many(2_000));
    node.response();
    for (long[] from :
        new long[][] {
          {1, 2_001}, {directory.facts().epoch(), 5}, {directory.facts().epoch(), 999_999}
        }) {
      TestWatcher watcher = TestWatcher.from(channel, from[0], from[1]);
      await().until(() -> watcher.keys().size() == 2_000);
      assertThat(watcher.responses.getFirst().getReset()).isTrue();
      watcher.close();
    }
  }

  @Test
  void wholeTable_comesInPartsOfBoundedSize() throws Exception {
    TestNode.open(channel, "a", 60_000, many(20_000)).response();
    TestWatcher watcher = TestWatcher.open(channel);
    await().until(() -> watcher.keys().size() == 20_000);
    assertThat(watcher.responses)
        .filteredOn(response -> response.getPutCount() > 0)
        .hasSizeGreaterThan(10)
        .allMatch(response -> response.getSerializedSize() < 256 * 1024);
  }

  @Test
  void watcherOfOneService_seesNoOther() throws Exception {
    TestNode node = TestNode.open(channel, "a", 60_000, many(100));
    node.response();
    TestWatcher watcher = TestWatcher.open(channel, "other");
    await().until(() -> !watcher.responses.isEmpty());
    node.put(
        TestNode.echo("10.0.0.1:9"),
        TestNode.echo("10.0.0.2:9").toBuilder().setService("other").build());
    await().until(() -> watcher.keys().equals(Set.of("other@10.0.0.2:9")));
  }

  @Test
  void watcherThatNeverReads_costsNothingAndDisturbsNobody() throws Exception {
    TestNode node = TestNode.open(channel, "a", 60_000, many(10_000));
    node.response();
    ManagedChannel idle = channel();
    List<TestWatcher> unread = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      unread.add(TestWatcher.unread(idle));
    }
    TestWatcher watcher = TestWatcher.open(channel);
    await().until(() -> watcher.keys().size() == 10_000);
    node.put(TestNode.echo("10.9.9.9:1"));
    await().until(() -> watcher.keys().size() == 10_001);
    assertThat(unread).allMatch(one -> one.responses.isEmpty());
    idle.shutdownNow();
    await().until(() -> directory.ask(() -> directory.watchers().count()) == 1);
  }

  @Test
  void directoryThatRestarts_saysThatItIsYoungAndWhatWasDeregistered() throws Exception {
    TestNode stays = TestNode.open(channel, "a", 0, TestNode.echo("10.0.0.1:1"));
    stays.response();
    InetSocketAddress address = directory.address();
    directory.close();
    stays.end();
    directory = directory(address, 2);
    TestNode leaves = TestNode.open(channel, "b", 0, TestNode.echo("10.0.0.2:1"));
    leaves.response();
    leaves.leave();
    leaves.end();
    TestWatcher watcher = TestWatcher.open(channel, "echo");
    await().until(() -> !watcher.responses.isEmpty());
    WatchResponse whole = watcher.responses.getFirst();
    assertThat(whole.getUptimeMs()).isLessThan(TTL_MS);
    assertThat(whole.getRemovedList())
        .singleElement()
        .matches(removed -> removed.getCause() == Removed.Cause.DEREGISTERED);
  }

  @Test
  void badRequests_areRefusedWithAReason() {
    TestWatcher bad = TestWatcher.open(channel, "a b");
    assertThat(bad.end().getDescription()).startsWith("service: a b (expected:");
    TestWatcher tooMany =
        TestWatcher.open(
            channel, IntStream.range(0, 1_001).mapToObj(i -> "s" + i).toArray(String[]::new));
    assertThat(tooMany.end().getDescription())
        .isEqualTo("services: 1001 (expected: at most 1000; none for all)");
  }

  // --- Discover ---

  @Test
  void discoverTop_givesTheLeastLoadedThenAnother() throws Exception {
    Instance busy =
        TestNode.echo("10.0.0.1:1").toBuilder()
            .setLoad(Load.newBuilder().setUtilisation(0.8))
            .build();
    Instance idle = TestNode.echo("10.0.0.2:1");
    TestNode.open(channel, "a", 0, busy, idle).response();
    assertThat(top()).containsExactly("10.0.0.2:1");
    assertThat(top()).containsExactly("10.0.0.1:1");
  }

  private List<String> discover(int max) {
    return addresses(
        RegistryGrpc.newBlockingStub(channel)
            .discover(DiscoverRequest.newBuilder().setService("echo").setMax(max).build()));
  }

  private List<String> top() {
    return addresses(
        RegistryGrpc.newBlockingStub(channel)
            .discoverTop(DiscoverTopRequest.newBuilder().setService("echo").build()));
  }

  private static List<String> addresses(DiscoverResponse response) {
    return response.getInstancesList().stream().map(Instance::getAddress).toList();
  }

  private static List<Removed.Cause> removals(TestWatcher watcher) {
    return watcher.responses.stream()
        .flatMap(response -> response.getRemovedList().stream())
        .map(Removed::getCause)
        .toList();
  }

  private static Instance[] many(int count) {
    return IntStream.range(0, count)
        .mapToObj(i ->
            TestNode.echo("10." + i / 65_536 + "." + i / 256 % 256 + "." + i % 256 + ":1")
                .toBuilder()
                .setService("s" + i % 100)
                .build())
        .toArray(Instance[]::new);
  }
}
