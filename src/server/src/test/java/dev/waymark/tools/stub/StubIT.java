package dev.waymark.tools.stub;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.waymark.bridge.Clock;
import dev.waymark.protocol.CloseReason;
import dev.waymark.telemetry.EventLog;
import dev.waymark.tools.stub.Rules.Fault;
import dev.waymark.v1.BridgeBatch;
import dev.waymark.v1.BridgeFrame;
import dev.waymark.v1.Framing;
import dev.waymark.v1.HalfClose;
import dev.waymark.v1.Ping;
import dev.waymark.v1.Release;
import dev.waymark.v1.UpstreamFrame;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The stub over real gRPC, with the generated classes as its client. */
final class StubIT {
  private static final Framing RAW = Framing.getDefaultInstance();
  private static final Framing LINE =
      Framing.newBuilder().setKind(Framing.Kind.LINE).setFrameBytesMax(1000).build();
  private static final int LIMIT = 256 * 1024;

  private @Nullable StubServer stub;
  private @Nullable ManagedChannel channel;

  @AfterEach
  void stop() {
    if (channel != null) {
      channel.shutdownNow();
    }
    if (stub != null) {
      stub.close();
    }
  }

  @Test
  void echo_dataAndFin_commitsEachReplyAndEndsReplies() throws IOException {
    TestLane lane = start(StubOptions.ECHO).greet();
    lane.open(7, RAW, LIMIT).data(7, 0, "hello", false).data(7, 5, "world", false);
    lane.send(
        BridgeFrame.newBuilder()
            .setConnection(7)
            .setHalfClose(HalfClose.newBuilder().setOffset(10)));

    List<UpstreamFrame> frames = lane.await(4);
    assertThat(frames.getFirst().hasSettings()).isTrue();
    assertThat(frames.get(1).getPayload().toString(UTF_8)).isEqualTo("hello");
    assertThat(frames.get(1).getConsumed()).isEqualTo(5);
    assertThat(frames.get(2).getConsumed()).isEqualTo(10);
    assertThat(frames.get(3).getHalfClose()).isTrue();
    assertThat(frames.get(3).getConnection()).isEqualTo(7);
  }

  @Test
  void echo_manyFramesInOneBatch_answersInOneBatch() throws IOException {
    TestLane lane = start(StubOptions.ECHO).greet();
    lane.await(1);
    BridgeBatch.Builder batch = BridgeBatch.newBuilder();
    for (int connection = 1; connection <= 100; connection++) {
      batch.addFrames(TestLane.openFrame(connection, RAW, LIMIT));
      batch.addFrames(TestLane.dataFrame(connection, 0, "x", false));
    }
    lane.send(batch.build());

    lane.await(101);
    assertThat(lane.batches()).isEqualTo(2);
  }

  @Test
  void data_withoutAcknowledgement_isAnsweredWithoutSettingsAndConsumed() throws IOException {
    TestLane lane =
        start(
                new StubOptions(
                    false, null, Rules.NONE, Duration.ZERO, false, null, null, false, null))
            .greet();
    lane.open(1, RAW, 0).data(1, 0, "plain", false);

    UpstreamFrame frame = lane.await(1).getFirst();
    assertThat(frame.getPayload().toString(UTF_8)).isEqualTo("plain");
    assertThat(frame.hasConsumed()).isFalse();
  }

  @Test
  void reply_beyondTheLimit_continuesWithTheNextLimit() throws IOException {
    TestLane lane = start(StubOptions.ECHO).greet();
    lane.open(1, RAW, 4).data(1, 0, "abcdef", false);
    assertThat(lane.replies(1, 1)).isEqualTo("abcd");

    lane.send(BridgeFrame.newBuilder().setConnection(1).setLimit(6));
    assertThat(lane.replies(1, 2)).isEqualTo("abcdef");
  }

  @Test
  void rules_matchingMessages_replyAndClose() throws IOException {
    Rules rules =
        new Rules(
            List.of(
                new Rules.Rule(new Rules.Match.Equals("ping"), "pong", Duration.ZERO, null),
                new Rules.Rule(
                    new Rules.Match.Regex(Pattern.compile("^q.it$")),
                    "bye",
                    Duration.ofMillis(20),
                    CloseReason.DONE)));
    TestLane lane = start(options(null, rules, null)).greet();
    lane.open(1, LINE, LIMIT)
        .data(1, 0, "pi", false)
        .data(1, 2, "ng\n", true)
        .data(1, 5, "other\n", true)
        .data(1, 11, "quit\n", true);

    List<UpstreamFrame> frames = lane.await(5);
    assertThat(lane.replies(1, 3)).isEqualTo("pong\nother\nbye\n");
    assertThat(frames.get(1).getConsumed()).isEqualTo(5);
    assertThat(frames.get(4).getCloseValue()).isEqualTo(CloseReason.DONE.wireCode());
    assertThat(stub().connections()).isEmpty();
  }

  private static StubOptions options(
      @Nullable String reply, Rules rules, @Nullable CloseReason refusal) {
    return new StubOptions(true, reply, rules, Duration.ZERO, false, "one", refusal, false, null);
  }

  @Test
  void reply_withPlaceholders_namesStubEpochAndMark() throws IOException {
    TestLane lane =
        start(options("${name} ${epoch} ${mark}", Rules.NONE, null)).greet().open(1, LINE, LIMIT);
    lane.data(1, 0, "who\n", true);
    assertThat(lane.replies(1, 1)).isEqualTo("one 0 mark-1\n");
  }

  @Test
  void rule_withHang_stopsAnsweringOnlyThatConnection() throws IOException {
    Rules rules =
        new Rules(
            List.of(
                new Rules.Rule(
                    new Rules.Match.Equals("stick"), null, Duration.ZERO, null, Fault.HANG)));
    TestLane lane = start(options(null, rules, null)).greet();
    lane.open(1, LINE, LIMIT).open(2, LINE, LIMIT);
    lane.data(1, 0, "stick\n", true).data(1, 6, "more\n", true).data(2, 0, "on\n", true);
    lane.send(BridgeFrame.newBuilder().setPing(Ping.newBuilder().setId(5)));
    List<UpstreamFrame> frames = lane.await(3);
    assertThat(frames.get(1).getPayload().toString(UTF_8)).isEqualTo("on\n");
    assertThat(frames.get(2).getPong().getId()).isEqualTo(5);
  }

  @Test
  void refuse_setAndCleared_refusesOpensInBetween() throws IOException, InterruptedException {
    TestLane lane = start(options(null, Rules.NONE, CloseReason.NOT_HERE)).greet();
    lane.open(1, RAW, LIMIT);
    assertThat(lane.await(2).get(1).getCloseValue()).isEqualTo(CloseReason.NOT_HERE.wireCode());
    InetSocketAddress free = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    try (StubAdmin admin = new StubAdmin(free, stub(), new EventLog(Clock::nowNs))) {
      admin.start();
      assertThat(post(admin, "/refuse?code=BUSY", "")).startsWith("200");
      lane.open(2, RAW, LIMIT);
      assertThat(lane.await(3).get(2).getCloseValue()).isEqualTo(CloseReason.BUSY.wireCode());
      assertThat(post(admin, "/refuse?code=maybe", "")).startsWith("400").contains("not_here");
      assertThat(post(admin, "/refuse?code=none", "")).startsWith("200");
      lane.open(3, RAW, LIMIT).data(3, 0, "in", false);
      assertThat(lane.replies(3, 1)).isEqualTo("in");
      lane.send(BridgeFrame.newBuilder().setConnection(3).setRelease(Release.getDefaultInstance()));
      assertThat(lane.await(5).get(4).hasReleased()).isTrue();
      assertThat(get(admin, "/stats").replaceAll("\\s", ""))
          .isEqualTo(
              "200{\"opens\":1,\"reopens\":0,\"replayedOpens\":0,\"refused\":2,\"released\":1,\"fenced\":0,\"requests\":1}");
    }
  }

  @Test
  void drain_withLanesBeforeAndAfter_isSentToBoth() throws IOException {
    TestLane before = start(StubOptions.ECHO).greet();
    before.await(1);
    stub().drain();
    assertThat(before.await(2).get(1).hasDraining()).isTrue();
    TestLane after = new TestLane(channel()).greet();
    assertThat(after.await(2).get(1).hasDraining()).isTrue();
  }

  @Test
  void lane_malformedOrWithoutHello_endsWithAStatusWhileOthersContinue() throws IOException {
    TestLane good = start(StubOptions.ECHO).greet();
    TestLane withoutHello = new TestLane(channel());
    withoutHello.data(1, 0, "x", false);
    assertThat(withoutHello.awaitStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);

    TestLane large = new TestLane(channel()).greet().open(1, RAW, LIMIT);
    large.data(1, 0, "x".repeat(65 * 1024), false);
    assertThat(large.awaitStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);

    good.open(1, RAW, LIMIT).data(1, 0, "still here", false);
    assertThat(good.replies(1, 1)).isEqualTo("still here");
  }

  @Test
  void lane_cancelled_endsItsAttachments() throws IOException {
    TestLane lane = start(StubOptions.ECHO).greet().open(1, RAW, LIMIT);
    await().until(() -> stub().connections().size() == 1);
    lane.cancel();
    await().until(() -> stub().connections().isEmpty());
  }

  @Test
  void health_setNotServing_isReported() throws IOException {
    start(StubOptions.ECHO);
    assertThat(health()).isEqualTo(ServingStatus.SERVING);
    stub().setServing(false);
    assertThat(health()).isEqualTo(ServingStatus.NOT_SERVING);
  }

  @Test
  void adminPort_eachRoute_actsOnTheStub() throws IOException, InterruptedException {
    TestLane lane = start(StubOptions.ECHO).greet().open(1, RAW, LIMIT).data(1, 0, "abc", false);
    lane.replies(1, 1);
    InetSocketAddress free = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    try (StubAdmin admin = new StubAdmin(free, stub(), new EventLog(Clock::nowNs))) {
      admin.start();
      assertThat(get(admin, "/connections").replaceAll("\\s", ""))
          .isEqualTo(
              "200{\"connections\":[{\"mark\":\"mark-1\",\"client\":\"127.0.0.1:9\",\"epoch\":0,\"bytes\":3}]}");
      assertThat(post(admin, "/send?mark=mark-1", "pushed")).startsWith("200");
      assertThat(lane.replies(1, 2)).isEqualTo("abcpushed");
      assertThat(post(admin, "/send?mark=nobody", "x"))
          .startsWith("404")
          .contains("no connection with mark 'nobody'");
      assertThat(post(admin, "/close?mark=mark-1&code=NONSENSE", ""))
          .startsWith("400")
          .contains("NOT_HERE");
      assertThat(post(admin, "/close?mark=mark-1&code=BUSY", "")).startsWith("200");
      assertThat(lane.await(4).get(3).getCloseValue()).isEqualTo(CloseReason.BUSY.wireCode());
      assertThat(post(admin, "/health?status=NOT_SERVING", "")).startsWith("200");
      assertThat(health()).isEqualTo(ServingStatus.NOT_SERVING);
      assertThat(post(admin, "/drain", "")).startsWith("200");
      assertThat(lane.await(5).get(4).hasDraining()).isTrue();
      assertThat(get(admin, "/drain")).startsWith("405");
      assertThat(get(admin, "/healthz")).startsWith("200");
    }
  }

  private static String get(StubAdmin admin, String path) throws IOException, InterruptedException {
    return http(admin, path, HttpRequest.newBuilder());
  }

  private static String post(StubAdmin admin, String path, String body)
      throws IOException, InterruptedException {
    return http(
        admin, path, HttpRequest.newBuilder().POST(HttpRequest.BodyPublishers.ofString(body)));
  }

  private static String http(StubAdmin admin, String path, HttpRequest.Builder request)
      throws IOException, InterruptedException {
    URI uri = URI.create("http://127.0.0.1:" + admin.address().getPort() + path);
    try (HttpClient client = HttpClient.newHttpClient()) {
      var response = client.send(request.uri(uri).build(), HttpResponse.BodyHandlers.ofString());
      return response.statusCode() + " " + response.body().strip();
    }
  }

  private ServingStatus health() {
    return HealthGrpc.newBlockingStub(channel())
        .check(HealthCheckRequest.getDefaultInstance())
        .getStatus();
  }

  private TestLane start(StubOptions options) throws IOException {
    stub =
        StubServer.start(
            List.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)), options);
    channel = NettyChannelBuilder.forAddress("127.0.0.1", stub.port()).usePlaintext().build();
    return new TestLane(channel);
  }

  private StubServer stub() {
    return Objects.requireNonNull(stub);
  }

  private ManagedChannel channel() {
    return Objects.requireNonNull(channel);
  }
}
