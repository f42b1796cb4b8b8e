package dev.waymark.tools.directory.xds;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.registry.Catalog.Entry;
import dev.waymark.registry.Instance;
import dev.waymark.registry.Instance.Health;
import dev.waymark.registry.LoadReport;
import io.grpc.CallOptions;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * grpc-java's own xDS client, {@code xds:///SERVICE} with nothing but a bootstrap file, which it
 * reads once per process.
 */
class GrpcXdsIT {
  private static final String BOOTSTRAP = "io.grpc.xds.bootstrapConfig";
  private static TestAdsServer ads;

  private final NamedServer a = new NamedServer();
  private final NamedServer b = new NamedServer();
  private final NamedServer c = new NamedServer();

  @SuppressWarnings("NullAway.Init")
  private ManagedChannel channel;

  @BeforeAll
  static void startDirectory() {
    ads = new TestAdsServer();
    System.setProperty(
        BOOTSTRAP,
        """
        {"xds_servers": [{"server_uri": "%s", "channel_creds": [{"type": "insecure"}], "server_features": ["xds_v3"]}],
         "node": {"id": "grpc-java", "locality": {}}}
        """
            .formatted(ads.address()));
  }

  @AfterAll
  static void stopDirectory() {
    ads.close();
    System.clearProperty(BOOTSTRAP);
  }

  @AfterEach
  void close() throws InterruptedException {
    if (channel != null) {
      channel.shutdownNow();
      channel.awaitTermination(5, TimeUnit.SECONDS);
    }
    a.close();
    b.close();
    c.close();
  }

  private void dial(String service) {
    channel =
        Grpc.newChannelBuilder("xds:///" + service, InsecureChannelCredentials.create()).build();
  }

  private String call() {
    return ClientCalls.blockingUnaryCall(
        channel,
        NamedServer.NAME,
        CallOptions.DEFAULT.withDeadlineAfter(30, TimeUnit.SECONDS).withWaitForReady(),
        "");
  }

  /** The servers that answer the next calls. */
  private Set<String> answering() {
    Set<String> names = new HashSet<>();
    for (int i = 0; i < 12; i++) {
      names.add(call());
    }
    return names;
  }

  private void awaitAnswering(NamedServer... servers) {
    Set<String> names = new HashSet<>();
    for (NamedServer server : servers) {
      names.add(server.name());
    }
    await().until(this::answering, names::equals);
  }

  private static Entry entry(
      String service, NamedServer server, int priority, String zone, Health health) {
    return new Entry(
        new Instance(
            service,
            server.address(),
            1,
            priority,
            Map.of("zone", zone),
            health,
            LoadReport.UNKNOWN),
        false);
  }

  @Test
  void instances_areCalled_andChangesAreFollowed() {
    ads.change(catalog -> catalog.put("echo", a.address(), b.address()));
    dial("echo");
    awaitAnswering(a, b);
    ads.change(catalog -> catalog.put("echo", c.address()).remove("echo", a.address()));
    awaitAnswering(b, c);
    ads.change(catalog -> catalog.put(entry("echo", c, 0, "", Health.DRAINING)));
    awaitAnswering(b);
    assertThat(ads.events.all).as("nothing was refused").isEmpty();
    await().until(() -> ads.streams().stream().anyMatch(GrpcXdsIT::isInStep));
  }

  private static boolean isInStep(StreamStatus stream) {
    return stream.node().equals("grpc-java")
        && !stream.isIncremental()
        && stream.peer().startsWith("127.0.0.1:")
        && stream.types().size() == 3
        && stream.types().stream().allMatch(type -> type.ackedVersion().equals(type.sentVersion()));
  }

  @Test
  void priority_isUsedWhileTheOneBeforeItDoesNotServe() {
    ads.change(catalog ->
        catalog
            .put(entry("ranked", a, 3, "one", Health.HEALTHY))
            .put(entry("ranked", b, 9, "one", Health.HEALTHY))
            .put(entry("ranked", c, 9, "two", Health.UNHEALTHY)));
    dial("ranked");
    awaitAnswering(a);
    ads.change(catalog -> catalog.put(entry("ranked", a, 3, "one", Health.UNHEALTHY)));
    awaitAnswering(b);
    ads.change(catalog -> catalog.put(entry("ranked", c, 9, "two", Health.HEALTHY)));
    awaitAnswering(b, c);
    assertThat(ads.events.all).isEmpty();
  }

  @Test
  void weights_ofZones_areTheirShares() {
    ads.change(catalog ->
        catalog.put(weighted("spread", a, 9, "one")).put(weighted("spread", b, 1, "two")));
    dial("spread");
    awaitAnswering(a, b);
    Map<String, Integer> calls = new TreeMap<>();
    for (int i = 0; i < 300; i++) {
      calls.merge(call(), 1, Integer::sum);
    }
    assertThat(calls.get(a.name())).isBetween(235, 296);
  }

  private static Entry weighted(String service, NamedServer server, int weight, String zone) {
    return new Entry(
        new Instance(
            service,
            server.address(),
            weight,
            0,
            Map.of("zone", zone),
            Health.HEALTHY,
            LoadReport.UNKNOWN),
        false);
  }

  @Test
  void service_thatIsUnknown_isWaitedFor_andFailsWhenItIsGone() {
    dial("late");
    assertThat(failure(CallOptions.DEFAULT.withDeadlineAfter(1, TimeUnit.SECONDS)))
        .isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    ads.change(catalog -> catalog.put("late", a.address()));
    awaitAnswering(a);
    ads.change(catalog -> catalog.remove("late", a.address()));
    await().until(() -> failure(CallOptions.DEFAULT), Status.Code.UNAVAILABLE::equals);
  }

  private Status.Code failure(CallOptions options) {
    try {
      ClientCalls.blockingUnaryCall(channel, NamedServer.NAME, options, "");
      return Status.Code.OK;
    } catch (StatusRuntimeException failed) {
      return failed.getStatus().getCode();
    }
  }

  @Test
  void directory_thatDiesAndComesBackEmpty_costsNoCall() {
    ads.change(catalog -> catalog.put("kept", a.address(), b.address()));
    dial("kept");
    awaitAnswering(a, b);
    int port = ads.port();
    ads.close();
    assertThat(answering()).hasSize(2);
    ads = new TestAdsServer(port, false, AdsLimits.DEFAULT);
    await().until(() -> !ads.streams().isEmpty());
    assertThat(answering()).hasSize(2);
    ads.change(catalog -> catalog.put("kept", b.address()));
    assertThat(answering()).as("a may come back yet").hasSize(2);
    ads.change(catalog -> catalog.put("kept", a.address(), c.address()));
    ads.onWhole();
    awaitAnswering(a, b, c);
  }

  private static ConditionFactory await() {
    return Awaitility.await().atMost(Duration.ofSeconds(30)).pollInterval(Duration.ofMillis(10));
  }
}
