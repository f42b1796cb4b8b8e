package dev.waymark.upstream;

import static dev.waymark.upstream.FakeCall.dataFrame;
import static dev.waymark.upstream.FakeCall.openFrame;
import static dev.waymark.upstream.ScriptHandlers.ECHO;
import static dev.waymark.upstream.ScriptHandlers.RAW;
import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.protocol.CloseReason;
import dev.waymark.v1.BridgeFrame;
import dev.waymark.v1.Close;
import dev.waymark.v1.Ping;
import io.grpc.Status;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A lane and its attachments: epochs, the connection limit, transport back pressure, ends. */
final class ServerLaneTest {
  @RegisterExtension final ScriptHandlers handlers = new ScriptHandlers();

  @Test
  void start_acknowledging_sendsSettingsWithTheWindowFirst() {
    FakeCall call =
        new FakeCall(
            UpstreamOptions.DEFAULTS.withWindowBytes(32_768),
            handlers.answering(ECHO),
            new Attachments(1));
    assertThat(call.frames().getFirst().getSettings().getWindowBytes()).isEqualTo(32_768);
    assertThat(call.requested).isEqualTo(1);
  }

  @Test
  void data_inSeveralFrames_isAnsweredInOneBatch() {
    FakeCall call = handlers.opened(ECHO, 100);
    call.receive(dataFrame(0, 0, "ab", false), dataFrame(0, 2, "cd", false));
    assertThat(call.sent).hasSize(1);
    assertThat(call.replies()).isEqualTo("abcd");
    assertThat(call.frames().getLast().getConsumed()).isEqualTo(4);
  }

  @Test
  void epoch_newer_fencesTheOlderWhoseFramesAreDropped() {
    FakeCall call = handlers.opened(ECHO, 100);
    call.receive(openFrame(1, 1, RAW, 100));
    assertThat(handlers.events(0)).containsExactly("close FENCED");
    call.receive(
        dataFrame(0, 0, "old", false), openFrame(1, 0, RAW, 100), dataFrame(1, 0, "new", false));
    assertThat(call.replies()).isEqualTo("new");
    assertThat(call.frames().getLast().getEpoch()).isEqualTo(1);
    assertThat(handlers.count()).isEqualTo(2);
  }

  @Test
  void epoch_newerOnAnotherLane_fencesTheOlder() {
    Attachments registry = new Attachments(10);
    FakeCall first =
        new FakeCall(UpstreamOptions.DEFAULTS, handlers.answering(ECHO), registry).greet();
    FakeCall second =
        new FakeCall(UpstreamOptions.DEFAULTS, handlers.answering(ECHO), registry).greet();
    first.receive(openFrame(1, 0, RAW, 100));
    second.receive(openFrame(1, 1, RAW, 100));
    assertThat(handlers.events(0)).containsExactly("close FENCED");
    assertThat(registry.count()).isEqualTo(1);
  }

  @Test
  void ping_received_isAnsweredWithItsId() {
    FakeCall call = handlers.opened(ECHO, 100);
    call.receive(BridgeFrame.newBuilder().setPing(Ping.newBuilder().setId(77)));
    assertThat(call.frames().getLast().getPong().getId()).isEqualTo(77);
  }

  @Test
  void pings_withUnreadAnswers_endTheLane() {
    FakeCall call = handlers.opened(ECHO, 100);
    call.isReady = false;
    for (int i = 0; i <= ServerLane.UNREAD_ANSWERS_MAX; i++) {
      assertThat(call.status).isNull();
      call.receive(pingFrame());
    }
    call.receive(pingFrame());

    assertThat(call.status).extracting(Status::getCode).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(handlers.events()).containsExactly("close UPSTREAM_LOST");
  }

  @Test
  void pings_withReadAnswers_areAllAnswered() {
    FakeCall call = handlers.opened(ECHO, 100);
    for (int i = 0; i <= 2 * ServerLane.UNREAD_ANSWERS_MAX; i++) {
      call.receive(pingFrame());
      call.sent.clear();
    }

    assertThat(call.status).isNull();
  }

  private static BridgeFrame.Builder pingFrame() {
    return BridgeFrame.newBuilder().setPing(Ping.newBuilder().setId(77));
  }

  @Test
  void transport_notReady_makesRepliesWait() {
    FakeCall call = handlers.opened(ECHO, 100);
    call.isReady = false;
    call.receive(dataFrame(0, 0, "a", false));
    call.receive(dataFrame(0, 1, "b", false));
    assertThat(call.replies()).isEqualTo("a");
    call.isReady = true;
    call.lane.onReady();
    assertThat(call.replies()).isEqualTo("ab");
    assertThat(call.frames().getLast().getConsumed()).isEqualTo(2);
  }

  @Test
  void transport_notReadyWithoutAcknowledgement_pausesReading() {
    FakeCall call =
        FakeCall.opened(
            UpstreamOptions.DEFAULTS.withAcknowledge(false), handlers.answering(ECHO), RAW, 0);
    call.isReady = false;
    int before = call.requested;
    call.receive(dataFrame(0, 0, "a", false));
    assertThat(call.requested).isEqualTo(before);
    call.isReady = true;
    call.lane.onReady();
    assertThat(call.requested).isEqualTo(before + 1);
    assertThat(call.frames().getLast().hasConsumed()).isFalse();
  }

  @Test
  void handler_throwing_endsOnlyItsConnection() {
    FakeCall call =
        handlers.opened(
            (_, _) -> {
              throw new IllegalStateException("thrown by the test");
            },
            100);
    call.receive(dataFrame(0, 0, "a", false));
    assertThat(call.frames().getLast().getCloseValue()).isEqualTo(CloseReason.ABORT.wireCode());
    assertThat(call.status).isNull();
  }

  @Test
  void close_fromTheBridge_isReportedAndNotAnswered() {
    FakeCall call = handlers.opened(ECHO, 100);
    call.receive(
        BridgeFrame.newBuilder()
            .setConnection(1)
            .setClose(Close.newBuilder().setReasonValue(CloseReason.CLIENT_RESET.wireCode())),
        dataFrame(0, 0, "late", false));
    assertThat(handlers.events()).containsExactly("close CLIENT_RESET");
    assertThat(call.sent).isEmpty();
  }

  @Test
  void lane_ended_endsItsAttachments() {
    FakeCall call = handlers.opened(ECHO, 100);
    call.lane.onHalfClose();
    assertThat(handlers.events()).containsExactly("close UPSTREAM_LOST");
    assertThat(call.status).isEqualTo(Status.OK);
  }

  @Test
  void connections_overTheLimit_areRefusedWithBusy() {
    FakeCall call =
        new FakeCall(
                UpstreamOptions.DEFAULTS.withConnectionsMax(1),
                handlers.answering(ECHO),
                new Attachments(1))
            .greet();
    call.receive(openFrame(1, 0, RAW, 10), openFrame(2, 0, RAW, 10));
    assertThat(call.frames().getLast().getConnection()).isEqualTo(2);
    assertThat(call.frames().getLast().getCloseValue()).isEqualTo(CloseReason.BUSY.wireCode());
  }

  @Test
  void connection_openedAgainAtTheLimit_replacesItsFormerAttachment() {
    FakeCall call =
        new FakeCall(
                UpstreamOptions.DEFAULTS.withConnectionsMax(1),
                handlers.answering(ECHO),
                new Attachments(1))
            .greet();
    call.receive(openFrame(1, 0, RAW, 10), openFrame(1, 1, RAW, 10));
    assertThat(handlers.events(0)).containsExactly("close FENCED");
    assertThat(handlers.events(1)).isEmpty();
  }
}
