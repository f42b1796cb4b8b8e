package dev.waymark.upstreams.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.config.PoolConfig.Registry;
import dev.waymark.config.PoolConfig.Target;
import dev.waymark.engine.base.LoopTime;
import dev.waymark.registry.Catalog.Entry;
import dev.waymark.registry.Instance;
import dev.waymark.registry.LoadReport;
import dev.waymark.registry.client.RegistryChannels;
import dev.waymark.tools.directory.xds.AdsLimits;
import dev.waymark.tools.directory.xds.TestAdsServer;
import dev.waymark.upstreams.control.ControlLoop;
import dev.waymark.upstreams.names.ResolverFiles;
import dev.waymark.xds.Assignment;
import dev.waymark.xds.proto.DeltaDiscoveryResponse;
import dev.waymark.xds.proto.DiscoveryResponse;
import dev.waymark.xds.proto.Resource;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** xds:// targets against scripted control planes, and against the directory's ADS. */
class XdsDiscoveryIT {
  private static final String EDS =
      "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment";

  private final MultiThreadIoEventLoopGroup group =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final List<List<Endpoint>> found = new CopyOnWriteArrayList<>();
  private final List<String> failures = new CopyOnWriteArrayList<>();
  private final List<AutoCloseable> started = new ArrayList<>();
  private Duration overdue = XdsDiscovery.OVERDUE;

  @TempDir private Path folder;

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable each : started.reversed()) {
      each.close();
    }
    group.shutdownGracefully(0, 5_000, TimeUnit.MILLISECONDS).syncUninterruptibly();
  }

  private ScriptedControlPlane controlPlane(boolean hasIncremental) {
    ScriptedControlPlane plane = new ScriptedControlPlane(hasIncremental);
    started.add(plane);
    return plane;
  }

  private void follow(String... servers) {
    follow(Optional.empty(), servers);
  }

  private void follow(Optional<Token> token, String... servers) {
    EventLoop loop = group.next();
    ControlLoop control =
        ControlLoop.nio(
            loop,
            new LoopTime() {
              @Override
              public long nowNs() {
                return loop.ticker().nanoTime();
              }

              @Override
              public long standstillNs() {
                return 0;
              }
            });
    loop.submit(
            () -> {
              XdsDiscovery discovery =
                  new XdsDiscovery(
                      new Target.Registered(Registry.XDS, List.of(servers), "echo"),
                      "test",
                      control,
                      new RegistryChannels(
                          control, ResolverFiles.ofSystem(), List.of(servers), Optional.empty()),
                      token,
                      new SplittableRandom(1),
                      overdue,
                      found::add,
                      problem -> failures.add(problem.text()));
              started.add(() -> loop.submit(discovery::close).syncUninterruptibly());
              discovery.start();
            })
        .syncUninterruptibly();
  }

  private void awaitFound(String... addresses) {
    await()
        .until(() ->
            !found.isEmpty()
                && found.getLast().stream()
                    .map(Endpoint::address)
                    .toList()
                    .equals(List.of(addresses)));
  }

  private static DiscoveryResponse whole(String version, Any... resources) {
    return DiscoveryResponse.newBuilder()
        .setTypeUrl(EDS)
        .setVersionInfo(version)
        .setNonce("n" + version)
        .addAllResources(List.of(resources))
        .build();
  }

  private static DeltaDiscoveryResponse.Builder delta(String nonce) {
    return DeltaDiscoveryResponse.newBuilder().setTypeUrl(EDS).setNonce(nonce);
  }

  private static DeltaDiscoveryResponse change(String version, String... addresses) {
    return delta("n" + version)
        .addResources(
            Resource.newBuilder().setName("echo").setVersion(version).setResource(echo(addresses)))
        .build();
  }

  private static Any echo(String... addresses) {
    return Assignment.packed(Assignment.of("echo", addresses));
  }

  @Test
  void controlPlane_inStateOfTheWorldOnly_isFollowed_andThatIsRemembered() {
    ScriptedControlPlane plane = controlPlane(false);
    follow(plane.address());
    await().until(() -> plane.whole.size() == 1);
    plane.send(whole("1", echo("127.0.0.2:9")));
    awaitFound("127.0.0.2:9");
    await().until(() -> plane.whole.size() == 2);
    assertThat(plane.whole.getLast().getVersionInfo()).isEqualTo("1");
    assertThat(plane.whole.getLast().getResponseNonce()).isEqualTo("n1");
    plane.end(Status.UNAVAILABLE.withDescription("upgrade"));
    await().until(() -> plane.streams.size() == 3);
    await().until(() -> plane.whole.size() == 3);
    assertThat(plane.streams).containsExactly("incremental", "whole", "whole");
    assertThat(plane.whole.getLast().getVersionInfo()).isEqualTo("1");
    assertThat(plane.whole.getLast().getResponseNonce()).isEmpty();
    assertThat(failures).containsExactly(plane.address() + ": UNAVAILABLE: upgrade");
    plane.send(whole("2", echo("127.0.0.3:9")));
    awaitFound("127.0.0.3:9");
  }

  @Test
  void assignment_thatCannotBeUsed_isRefused_andTheLastListStays() {
    ScriptedControlPlane plane = controlPlane(false);
    follow(plane.address());
    await().until(() -> plane.whole.size() == 1);
    plane.send(whole("1", echo("127.0.0.2:9")));
    awaitFound("127.0.0.2:9");
    plane.send(whole("2", echo("127.0.0.2:9", "127.0.0.3:0")));
    await().until(() -> plane.whole.size() == 3);
    assertThat(plane.whole.getLast().getVersionInfo()).isEqualTo("1");
    assertThat(plane.whole.getLast().getResponseNonce()).isEqualTo("n2");
    String why = plane.whole.getLast().getErrorDetail().getMessage();
    assertThat(why).contains("endpoints[0].lb_endpoints[1] has the address 127.0.0.3:0");
    await().until(() -> !failures.isEmpty());
    assertThat(failures.getLast()).isEqualTo("refused from the control plane: " + why);
    awaitFound("127.0.0.2:9");
    plane.send(whole("3", echo("127.0.0.2:9")));
    int before = found.size();
    await().until(() -> found.size() > before);
    assertThat(plane.whole.getLast().hasErrorDetail()).isFalse();
  }

  @Test
  void incrementalControlPlane_isFollowed_andGoesOnFromTheVersion() {
    ScriptedControlPlane plane = controlPlane(true);
    follow(plane.address());
    await().until(() -> plane.incremental.size() == 1);
    assertThat(plane.incremental.getFirst().getNode().getId()).isEqualTo("test");
    plane.send(change("v1", "127.0.0.2:9"));
    awaitFound("127.0.0.2:9");
    plane.end(Status.UNAVAILABLE);
    await().until(() -> plane.incremental.size() == 3);
    assertThat(plane.incremental.getLast().getInitialResourceVersionsMap())
        .containsOnly(Map.entry("echo", "v1"));
    int before = found.size();
    await().until(() -> found.size() > before);
    assertThat(found.getLast()).as("the stream works, and has nothing to say").hasSize(1);
    plane.send(delta("n9").addRemovedResources("echo").build());
    awaitFound();
    assertThat(failures.getLast()).isEqualTo("the control plane knows no service echo");
    plane.send(change("v2", "127.0.0.3:9"));
    awaitFound("127.0.0.3:9");
    assertThat(plane.streams).containsOnly("incremental");
  }

  @Test
  void rollout_ofManyChanges_isToldInFewSteps() {
    ScriptedControlPlane plane = controlPlane(true);
    follow(plane.address());
    await().until(() -> plane.incremental.size() == 1);
    for (int i = 1; i <= 200; i++) {
      plane.send(change("v" + i, "127.0.0." + i + ":9"));
    }
    awaitFound("127.0.0.200:9");
    assertThat(found).hasSizeLessThan(100);
    assertThat(plane.incremental).hasSizeLessThanOrEqualTo(201);
  }

  @Test
  void silentControlPlane_knowsNoSuchService_untilItSaysOtherwise() {
    overdue = Duration.ofSeconds(3);
    ScriptedControlPlane plane = controlPlane(true);
    follow(plane.address());
    await().until(() -> !failures.isEmpty());
    assertThat(failures).containsExactly("the control plane knows no service echo");
    assertThat(found).isEmpty();
    plane.send(change("v1", "127.0.0.2:9"));
    awaitFound("127.0.0.2:9");
    assertThat(plane.streams).hasSize(1);
  }

  @Test
  void silentControlPlane_isLeftForAnother() {
    overdue = Duration.ofSeconds(3);
    ScriptedControlPlane silent = controlPlane(true);
    ScriptedControlPlane other = controlPlane(true);
    follow(silent.address(), other.address());
    await().until(() -> other.incremental.size() == 1);
    assertThat(failures)
        .containsExactly(silent.address() + ": says nothing of the service within 3 s");
    other.send(change("v1", "127.0.0.2:9"));
    awaitFound("127.0.0.2:9");
    other.end(Status.UNAVAILABLE);
    await().until(() -> silent.incremental.size() == 2);
    assertThat(found.getLast()).hasSize(1);
  }

  @Test
  void server_thatAcceptsAndIsMute_isLeft() throws IOException {
    overdue = Duration.ofSeconds(3);
    ServerSocket mute = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
    started.add(mute);
    ScriptedControlPlane other = controlPlane(true);
    follow("127.0.0.1:" + mute.getLocalPort(), other.address());
    await().until(() -> other.incremental.size() == 1);
    assertThat(failures)
        .containsExactly("127.0.0.1:" + mute.getLocalPort() + ": does not answer within 3 s");
  }

  @Test
  void token_isReadForEachStream_andSent() throws IOException {
    Path file = folder.resolve("token");
    Files.writeString(file, "first\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    ScriptedControlPlane plane = controlPlane(true);
    follow(Optional.of(new Token(file)), plane.address());
    await().until(() -> plane.streams.size() == 1);
    Files.writeString(file, "second\n");
    plane.end(Status.UNAUTHENTICATED.withDescription("expired"));
    await().until(() -> plane.streams.size() == 2);
    assertThat(plane.authorizations).containsExactly("Bearer first", "Bearer second");
    assertThat(failures).containsExactly(plane.address() + ": UNAUTHENTICATED: expired");
    Files.delete(file);
    plane.end(Status.UNAVAILABLE);
    await().until(() -> failures.stream().anyMatch(text -> text.contains("no such file")));
  }

  @Test
  void server_thatIsNoControlPlane_isNamed() throws IOException {
    Server other =
        NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0)).build().start();
    started.add(other::shutdownNow);
    follow("127.0.0.1:" + other.getPort());
    await().until(() -> !failures.isEmpty());
    assertThat(failures.getFirst())
        .startsWith("127.0.0.1:" + other.getPort() + ": UNIMPLEMENTED: Method not found")
        .contains("StreamAggregatedResources");
  }

  // --- the directory ---

  @Test
  void directory_isFollowed_withWeightsPrioritiesAndLabels() {
    TestAdsServer directory = new TestAdsServer();
    started.add(directory);
    directory.change(catalog ->
        catalog
            .put(entry("127.0.0.2:9", 7, 0, Map.of("zone", "a", "version", "2"), false))
            .put(entry("127.0.0.3:9", 3, 0, Map.of("zone", "a"), false))
            .put(entry("127.0.0.4:9", 1000, 0, Map.of("zone", "b"), false))
            .put(entry("127.0.0.5:9", 5, 4, Map.of(), false))
            .put(entry("[::1]:9", 2, 0, Map.of("zone", "b"), true)));
    follow(directory.address());
    awaitFound("127.0.0.2:9", "127.0.0.3:9", "127.0.0.4:9", "127.0.0.5:9", "[::1]:9");
    assertThat(found.getLast())
        .extracting(Endpoint::weight)
        .as("as they were registered, but the damped one has the whole of its own priority")
        .containsExactly(7, 3, 1000, 5, 1000);
    assertThat(found.getLast()).extracting(Endpoint::priority).containsExactly(0, 0, 0, 1, 129);
    assertThat(found.getLast().getFirst().labels())
        .containsExactlyInAnyOrderEntriesOf(Map.of("zone", "a", "version", "2"));
    directory.change(catalog -> catalog.remove("echo", "127.0.0.3:9"));
    awaitFound("127.0.0.2:9", "127.0.0.4:9", "127.0.0.5:9", "[::1]:9");
    assertThat(directory.streams()).hasSize(1).allMatch(stream -> stream.isIncremental());
    await().until(() -> directory.streams().getFirst().types().getFirst().refusal().isEmpty());
    assertThat(directory.events.all).isEmpty();
  }

  @Test
  void directory_thatRestartsEmpty_costsNoUpstream() {
    TestAdsServer directory = new TestAdsServer();
    started.add(directory);
    directory.change(catalog -> catalog.put("echo", "127.0.0.2:9", "127.0.0.3:9"));
    follow(directory.address());
    awaitFound("127.0.0.2:9", "127.0.0.3:9");
    int port = directory.port();
    directory.close();
    await().until(() -> !failures.isEmpty());
    TestAdsServer again = new TestAdsServer(port, false, AdsLimits.DEFAULT);
    started.add(again);
    again.change(catalog -> catalog.put("echo", "127.0.0.3:9"));
    await().until(() -> again.streams().size() == 1);
    assertThat(found).allMatch(upstreams -> upstreams.size() == 2);
    again.onWhole();
    awaitFound("127.0.0.3:9");
    again.change(catalog -> catalog.remove("echo", "127.0.0.3:9"));
    awaitFound();
    assertThat(failures.getLast()).isEqualTo("the control plane knows no endpoint of echo");
  }

  private static Entry entry(
      String address, int weight, int priority, Map<String, String> labels, boolean isDamped) {
    return new Entry(
        new Instance(
            "echo", address, weight, priority, labels, Instance.Health.HEALTHY, LoadReport.UNKNOWN),
        isDamped);
  }

  private static ConditionFactory await() {
    return Awaitility.await().atMost(Duration.ofSeconds(30)).pollInterval(Duration.ofMillis(10));
  }
}
