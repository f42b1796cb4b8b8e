package dev.waymark.tools.directory.xds;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.registry.Catalog.Entry;
import dev.waymark.registry.Instance;
import dev.waymark.registry.LoadReport;
import dev.waymark.xds.proto.AggregatedDiscoveryServiceGrpc;
import dev.waymark.xds.proto.DeltaDiscoveryRequest;
import dev.waymark.xds.proto.DeltaDiscoveryResponse;
import dev.waymark.xds.proto.DiscoveryRequest;
import dev.waymark.xds.proto.DiscoveryResponse;
import dev.waymark.xds.proto.Node;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Streams over sockets, with clients that behave and clients that do not. */
class AdsServiceIT {
  private static final AdsLimits LIMITS = new AdsLimits(3, 100, 20);

  /** What a server may send to a client that does not read. */
  private static final int WINDOW_BYTES = 64 * 1024;

  private final TestAdsServer server = new TestAdsServer(0, true, LIMITS);
  private final ManagedChannel channel =
      NettyChannelBuilder.forAddress("127.0.0.1", server.port())
          .usePlaintext()
          .flowControlWindow(WINDOW_BYTES)
          .build();

  @AfterEach
  void close() throws InterruptedException {
    channel.shutdownNow();
    channel.awaitTermination(5, TimeUnit.SECONDS);
    server.close();
  }

  /** A client that notes what it gets; it reads on only if it is told to. */
  private static final class Recorder<Q, R> implements ClientResponseObserver<Q, R> {
    private final boolean isReading;
    private final List<R> responses = new CopyOnWriteArrayList<>();
    private volatile Status end = Status.OK;

    /** Set before the call starts. */
    @SuppressWarnings("NullAway.Init")
    private volatile ClientCallStreamObserver<Q> call;

    Recorder(boolean isReading) {
      this.isReading = isReading;
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<Q> started) {
      call = started;
      if (!isReading) {
        started.disableAutoRequestWithInitial(0);
      }
    }

    @Override
    public void onNext(R response) {
      responses.add(response);
    }

    @Override
    public void onError(Throwable error) {
      end = Status.fromThrowable(error);
    }

    @Override
    public void onCompleted() {}

    void send(Q request) {
      call.onNext(request);
    }
  }

  private Recorder<DiscoveryRequest, DiscoveryResponse> open(boolean isReading) {
    var recorder = new Recorder<DiscoveryRequest, DiscoveryResponse>(isReading);
    AggregatedDiscoveryServiceGrpc.newStub(channel).streamAggregatedResources(recorder);
    return recorder;
  }

  private Recorder<DeltaDiscoveryRequest, DeltaDiscoveryResponse> openIncremental() {
    var recorder = new Recorder<DeltaDiscoveryRequest, DeltaDiscoveryResponse>(true);
    AggregatedDiscoveryServiceGrpc.newStub(channel).deltaAggregatedResources(recorder);
    return recorder;
  }

  private static DiscoveryRequest request(String node, ResourceType type, String... names) {
    return DiscoveryRequest.newBuilder()
        .setNode(Node.newBuilder().setId(node))
        .setTypeUrl(type.url())
        .addAllResourceNames(List.of(names))
        .build();
  }

  private static DeltaDiscoveryRequest subscription(String... names) {
    return DeltaDiscoveryRequest.newBuilder()
        .setTypeUrl(ResourceType.ENDPOINTS.url())
        .addAllResourceNamesSubscribe(List.of(names))
        .build();
  }

  @Test
  void changes_reachAllStreams_andAnIncrementalOneGetsOnlyWhatChanged() {
    server.change(catalog -> catalog.put("a", "10.0.0.1:80").put("b", "10.0.0.2:80"));
    var whole = open(true);
    whole.send(request("w", ResourceType.ENDPOINTS, "a", "b"));
    var incremental = openIncremental();
    incremental.send(subscription("a", "b"));
    await().until(() -> whole.responses.size() == 1 && incremental.responses.size() == 1);
    assertThat(incremental.responses.getFirst().getResourcesCount()).isEqualTo(2);
    server.change(catalog -> catalog.put("a", "10.0.0.3:80"));
    await().until(() -> whole.responses.size() == 2 && incremental.responses.size() == 2);
    assertThat(incremental.responses.getLast().getResourcesList())
        .extracting(each -> each.getName())
        .containsExactly("a");
    whole.call.onCompleted();
    incremental.call.cancel("enough", null);
    await().until(() -> server.streams().isEmpty());
  }

  @Test
  void client_thatNeverReads_costsNoMoreThanAResponse_andNobodyElse() {
    String label = "x".repeat(250);
    server.change(catalog -> {
      for (int i = 0; i < 300; i++) {
        catalog.put(
            new Entry(
                new Instance(
                    "big",
                    "10.0." + i / 250 + "." + i % 250 + ":80",
                    1,
                    0,
                    Map.of("a", label),
                    Instance.Health.HEALTHY,
                    LoadReport.UNKNOWN),
                false));
      }
    });
    var silent = open(false);
    silent.send(request("silent", ResourceType.ENDPOINTS, "big"));
    await().until(() -> sentTo("silent") != 0);
    long before = sentTo("silent");
    var reading = open(true);
    reading.send(request("reading", ResourceType.ENDPOINTS, "big"));
    for (int i = 0; i < 50; i++) {
      String address = "10.0.2." + i + ":80";
      server.change(catalog -> catalog.put("big", address));
    }
    await().until(() -> sentTo("reading") >= before + 50);
    // Each has more than the window, and the next is made when the one before it has left.
    assertThat(sentTo("silent")).isLessThan(before + 3);
    silent.call.request(1_000);
    await().until(() -> sentTo("silent") == sentTo("reading"));
    assertThat(silent.responses).as("what came between was left out").hasSizeLessThan(6);
  }

  /** The version of the last response to this client. */
  private long sentTo(String node) {
    return server.streams().stream()
        .filter(stream -> stream.node().equals(node))
        .flatMap(stream -> stream.types().stream())
        .map(type -> type.sentVersion().isEmpty() ? 0L : Long.parseLong(type.sentVersion()))
        .findFirst()
        .orElse(0L);
  }

  @Test
  void client_thatWantsTooMuch_losesItsStream_andNobodyElse() {
    server.change(catalog -> catalog.put("a", "10.0.0.1:80"));
    var good = open(true);
    good.send(request("good", ResourceType.ENDPOINTS, "a"));
    var greedy = open(true);
    String[] names = new String[101];
    for (int i = 0; i < names.length; i++) {
      names[i] = "s" + i;
    }
    greedy.send(request("greedy", ResourceType.ENDPOINTS, names));
    await().until(() -> greedy.end.getCode() == Status.Code.RESOURCE_EXHAUSTED);
    assertThat(greedy.end.getDescription()).contains("more than 100 resource names");
    assertThat(server.events.all)
        .containsExactly("refused greedy more than 100 resource names on a stream");
    server.change(catalog -> catalog.put("a", "10.0.0.2:80"));
    await().until(() -> good.responses.size() == 2);
  }

  @Test
  void streams_beyondTheLimit_areRefused() {
    for (int i = 0; i < 3; i++) {
      open(true).send(request("n" + i, ResourceType.LISTENER));
    }
    await().until(() -> server.streams().size() == 3);
    var fourth = open(true);
    await().until(() -> fourth.end.getCode() == Status.Code.RESOURCE_EXHAUSTED);
    assertThat(fourth.end.getDescription()).isEqualTo("more than 3 streams");
    assertThat(server.streams()).hasSize(3);
  }

  @Test
  void client_thatSendsTooFast_isSlowedDown() {
    server.change(catalog -> catalog.put("a", "10.0.0.1:80"));
    var fast = open(true);
    // Each asks for something else, so each is answered: 200 at once, then 20 a second.
    for (int i = 0; i < 400; i++) {
      fast.send(request("fast", ResourceType.ENDPOINTS, "s" + i));
    }
    await().until(() -> fast.responses.size() > 200);
    assertThat(fast.responses).hasSizeLessThan(300);
    var other = open(true);
    other.send(request("other", ResourceType.ENDPOINTS, "a"));
    await().until(() -> other.responses.size() == 1);
    assertThat(fast.end).isEqualTo(Status.OK);
  }

  @Test
  void directory_thatStops_endsItsStreams() {
    var stream = open(true);
    stream.send(request("n", ResourceType.CLUSTER));
    await().until(() -> stream.responses.size() == 1);
    server.stop();
    await().until(() -> stream.end.getCode() == Status.Code.UNAVAILABLE);
    assertThat(stream.end.getDescription()).isEqualTo("the directory stops");
  }

  private static ConditionFactory await() {
    return Awaitility.await().atMost(Duration.ofSeconds(30)).pollInterval(Duration.ofMillis(10));
  }
}
