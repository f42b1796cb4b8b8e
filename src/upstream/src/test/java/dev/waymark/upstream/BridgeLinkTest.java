package dev.waymark.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Mark;
import dev.waymark.protocol.UpstreamFrame;
import dev.waymark.upstream.PushAnswer.Outcome;
import dev.waymark.v1.BridgeFrame;
import dev.waymark.v1.Closed;
import dev.waymark.v1.Hello;
import dev.waymark.v1.Opened;
import dev.waymark.v1.Push;
import dev.waymark.v1.PushResult;
import dev.waymark.v1.Synced;
import dev.waymark.v1.Syncing;
import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Pushes and announcements, as an upstream sees them. */
final class BridgeLinkTest implements AnnouncementListener {
  private static final long INSTANCE = 77;
  private static final String MARK = new Mark(INSTANCE, 5).toString();

  private final BridgeLinks links = new BridgeLinks(this);
  private final List<String> announced = new ArrayList<>();

  @Test
  void push_withALaneOfTheShard_leavesOnThatLane() {
    FakeCall even = lane(INSTANCE, 0, 2);
    FakeCall odd = lane(INSTANCE, 1, 2);
    FakeCall other = lane(78, 1, 2);
    CompletableFuture<PushAnswer> answer = push(MARK, "hello");
    Push push = pushes(odd).getFirst();
    assertThat(push.getMark()).isEqualTo(MARK);
    assertThat(push.getPayload().toStringUtf8()).isEqualTo("hello");
    assertThat(push.hasEpoch()).isFalse();
    assertThat(pushes(even)).isEmpty();
    assertThat(pushes(other)).isEmpty();
    odd.receive(result(push.getId(), 2, 7, 99));
    assertThat(answer)
        .isCompletedWithValue(new PushAnswer(Outcome.GONE, CloseReason.CLIENT_RESET, 99, 0));
  }

  @Test
  void push_withoutALaneOfTheShard_leavesOnAnotherLaneOfTheBridge() {
    FakeCall even = lane(INSTANCE, 0, 2);
    push(MARK, "hello");
    assertThat(pushes(even)).hasSize(1);
  }

  @Test
  void push_withAnEpoch_namesIt() {
    FakeCall lane = lane(INSTANCE, 0, 1);
    links.push(MARK, text("x"), 0);
    assertThat(pushes(lane).getFirst().hasEpoch()).isTrue();
  }

  @Test
  void outcome_ofEachCode_isReportedAsTheBridgeSentIt() {
    FakeCall lane = lane(INSTANCE, 0, 1);
    for (int code = 1; code <= 8; code++) {
      CompletableFuture<PushAnswer> answer = push(MARK, "x");
      lane.receive(result(pushes(lane).getLast().getId(), code, 0, 0));
      String expected = code == 8 ? "UNKNOWN" : PushResult.Outcome.forNumber(code).name();
      assertThat(answer.join().outcome().name()).isEqualTo(expected);
    }
  }

  @Test
  void push_toABridgeWithoutALane_isNotSent() {
    FakeCall lane = lane(78, 0, 1);
    assertThat(push(MARK, "x").join().outcome()).isEqualTo(Outcome.NO_LANE);
    assertThat(push("nonsense", "x").join().outcome()).isEqualTo(Outcome.NEVER_EXISTED);
    assertThat(pushes(lane)).isEmpty();
  }

  @Test
  void push_onALostLane_isUnknown() {
    FakeCall lane = lane(INSTANCE, 0, 1);
    CompletableFuture<PushAnswer> answer = push(MARK, "x");
    lane.lane.onCancel();
    assertThat(answer.join().outcome()).isEqualTo(Outcome.UNKNOWN);
    assertThat(push(MARK, "x").join().outcome()).isEqualTo(Outcome.NO_LANE);
  }

  @Test
  void pushes_unanswered_areLimited() {
    FakeCall lane = lane(INSTANCE, 0, 1);
    int sent = 0;
    while (!push(MARK, "x".repeat(65_536)).isDone()) {
      sent++;
    }
    assertThat(sent).isBetween(60, 64);
    assertThat(push(MARK, "x".repeat(65_536)).join().outcome()).isEqualTo(Outcome.TOO_MANY);
    lane.receive(result(pushes(lane).getFirst().getId(), 1, 0, 0));
    assertThat(push(MARK, "x".repeat(65_536))).isNotDone();
  }

  @Test
  void push_tooLarge_isRefusedAndReleased() {
    ByteBuf large = Unpooled.wrappedBuffer(new byte[65_537]);
    assertThatThrownBy(() -> links.push(MARK, large, UpstreamFrame.ABSENT))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("65536");
    assertThat(large.refCnt()).isZero();
  }

  @Test
  void announcements_withAListener_areRequestedAndDelivered() {
    FakeCall lane = lane(INSTANCE, 0, 1);
    assertThat(lane.frames().getFirst().getSettings().getAnnouncements()).isTrue();
    lane.receive(
        BridgeFrame.newBuilder().setSyncing(Syncing.getDefaultInstance()),
        BridgeFrame.newBuilder()
            .setConnection(5)
            .setOpened(Opened.newBuilder().setMark(MARK).setListener("l").setClientAddress("c:1")),
        BridgeFrame.newBuilder().setSynced(Synced.getDefaultInstance()),
        BridgeFrame.newBuilder()
            .setConnection(5)
            .setClosed(Closed.newBuilder().setReason(dev.waymark.v1.CloseReason.forNumber(1))));
    lane.lane.onHalfClose();
    lane.lane.onCancel();
    assertThat(announced)
        .containsExactly(
            "forget 1",
            "opened " + MARK + " l c:1",
            "synced 1",
            "closed " + MARK + " DONE",
            "forget 1");
    assertThat(lane.status).isEqualTo(Status.OK);
  }

  @Test
  void announcements_withoutAcknowledgement_areRefused() {
    Upstream.Builder builder =
        Upstream.builder(connection -> new ScriptHandler(connection, (_, _) -> {}))
            .acknowledge(false)
            .announcements(this);
    assertThatThrownBy(builder::build).isInstanceOf(IllegalStateException.class);
  }

  private FakeCall lane(long instance, int shard, int shards) {
    FakeCall call =
        new FakeCall(
            UpstreamOptions.DEFAULTS,
            connection -> new ScriptHandler(connection, (_, _) -> {}),
            new Attachments(10),
            links);
    call.receive(
        BridgeFrame.newBuilder()
            .setHello(
                Hello.newBuilder()
                    .setRevision(1)
                    .setInstance(instance)
                    .setShard(shard)
                    .setShards(shards)));
    return call;
  }

  private CompletableFuture<PushAnswer> push(String mark, String text) {
    return links.push(mark, text(text), UpstreamFrame.ABSENT).toCompletableFuture();
  }

  private static ByteBuf text(String text) {
    return Unpooled.copiedBuffer(text, StandardCharsets.UTF_8);
  }

  private static List<Push> pushes(FakeCall call) {
    return call.frames().stream()
        .filter(dev.waymark.v1.UpstreamFrame::hasPush)
        .map(dev.waymark.v1.UpstreamFrame::getPush)
        .toList();
  }

  private static BridgeFrame.Builder result(long id, int outcome, int reason, long closedUnixMs) {
    return BridgeFrame.newBuilder()
        .setPushResult(
            PushResult.newBuilder()
                .setId(id)
                .setOutcomeValue(outcome)
                .setReasonValue(reason)
                .setClosedUnixMs(closedUnixMs));
  }

  @Override
  public void onForget(AnnouncingLane lane) {
    announced.add("forget " + lane.number());
  }

  @Override
  public void onOpened(AnnouncingLane lane, String mark, String listener, String clientAddress) {
    announced.add("opened " + mark + " " + listener + " " + clientAddress);
  }

  @Override
  public void onClosed(AnnouncingLane lane, String mark, CloseReason reason) {
    announced.add("closed " + mark + " " + reason);
  }

  @Override
  public void onSynced(AnnouncingLane lane) {
    announced.add("synced " + lane.number());
  }
}
