package dev.waymark.upstream;

import static dev.waymark.upstream.FakeCall.dataFrame;
import static dev.waymark.upstream.FakeCall.limitFrame;
import static dev.waymark.upstream.FakeCall.openFrame;
import static dev.waymark.upstream.FakeCall.releaseFrame;
import static dev.waymark.upstream.ScriptHandlers.ECHO;
import static dev.waymark.upstream.ScriptHandlers.LINE;
import static dev.waymark.upstream.ScriptHandlers.MESSAGES;
import static dev.waymark.upstream.ScriptHandlers.NOTHING;
import static dev.waymark.upstream.ScriptHandlers.RAW;
import static dev.waymark.upstream.ScriptHandlers.text;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.waymark.protocol.CloseReason;
import dev.waymark.v1.BridgeFrame;
import dev.waymark.v1.HalfClose;
import dev.waymark.v1.UpstreamFrame;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Connections that move to another lane (protocol.md, rules 8 and 9). */
final class ReleaseTest {
  @RegisterExtension final ScriptHandlers handlers = new ScriptHandlers();

  private static void assertReleased(FakeCall call, long consumed) {
    UpstreamFrame last = call.frames().getLast();
    assertThat(last.hasReleased()).isTrue();
    assertThat(last.hasConsumed()).isTrue();
    assertThat(last.getConsumed()).isEqualTo(consumed);
    assertThat(last.getConnection()).isEqualTo(1);
  }

  private static void assertNotReleased(FakeCall call) {
    assertThat(call.frames()).noneMatch(UpstreamFrame::hasReleased);
  }

  @Test
  void release_allConsumed_isAnsweredAtOnceAndEndsTheAttachment() {
    FakeCall call = handlers.opened(ECHO, 100);
    call.receive(dataFrame(0, 0, "abc", false), releaseFrame(0), dataFrame(0, 3, "late", false));
    assertReleased(call, 3);
    assertThat(call.replies()).isEqualTo("abc");
    assertThat(handlers.events()).containsExactly("data abc 3", "release", "close MOVED");
    assertThat(handlers.connection().isOpen()).isFalse();
  }

  @Test
  void release_requestUnanswered_waitsForItsReplyAndDeliversNothingMore() {
    FakeCall call = handlers.opened(NOTHING, 100);
    call.receive(dataFrame(0, 0, "abc", false), releaseFrame(0));
    call.receive(
        dataFrame(0, 3, "late", false),
        BridgeFrame.newBuilder()
            .setConnection(1)
            .setHalfClose(HalfClose.newBuilder().setOffset(7)));
    assertNotReleased(call);
    handlers.connection().commit(text("ab"), 2);
    assertNotReleased(call);
    handlers.connection().commit(text("c"), 3);
    assertReleased(call, 3);
    assertThat(handlers.events()).containsExactly("data abc 3", "release", "close MOVED");
  }

  @Test
  void release_replyBeyondTheLimit_waitsUntilItHasLeft() {
    FakeCall call = handlers.opened(ECHO, 2);
    call.receive(dataFrame(0, 0, "ab", false), dataFrame(0, 2, "cd", false), releaseFrame(0));
    assertNotReleased(call);
    call.receive(limitFrame(4));
    assertThat(call.replies()).isEqualTo("abcd");
    assertReleased(call, 4);
  }

  @Test
  void release_partOfAMessage_isNotDeliveredAndDelaysNothing() {
    FakeCall call = FakeCall.opened(MESSAGES, handlers.answering(ECHO), LINE, 100);
    call.receive(dataFrame(0, 0, "one\n", true), dataFrame(0, 4, "tw", false), releaseFrame(0));
    assertReleased(call, 4);
    assertThat(handlers.events()).containsExactly("data one\n 4", "release", "close MOVED");
  }

  @Test
  void consume_partOfAMessage_isRefused() {
    FakeCall call = FakeCall.opened(MESSAGES, handlers.answering(NOTHING), LINE, 100);
    call.receive(dataFrame(0, 0, "one\n", true), dataFrame(0, 4, "tw", false));
    assertThat(handlers.connection().receivedOffset()).isEqualTo(4);
    assertThatThrownBy(() -> handlers.connection().consume(6))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("beyond the 4 bytes received");
  }

  @Test
  void release_requestedByTheHandler_handsOverWhatIsNotConsumed() {
    FakeCall call = handlers.opened((connection, _) -> connection.consume(2), 100);
    handlers.connection().release();
    call.receive(dataFrame(0, 0, "abc", false), releaseFrame(0));
    assertNotReleased(call);
    handlers.connection().release();
    assertReleased(call, 2);
    handlers.connection().commit(text("too late"), 3);
    assertThat(call.replies()).isEmpty();
  }

  @Test
  void release_requestedDuringAReply_waitsForItsEnd() {
    FakeCall call = handlers.opened(NOTHING, 100);
    call.receive(dataFrame(0, 0, "abcdef", false), releaseFrame(0));
    handlers.connection().send(text("first "));
    handlers.connection().release();
    assertNotReleased(call);
    handlers.connection().commit(text("second"), 3);
    assertReleased(call, 3);
    assertThat(call.replies()).isEqualTo("first second");
  }

  @Test
  void release_fromAnotherThread_followsItsReply() throws InterruptedException {
    FakeCall call = handlers.opened(NOTHING, 100);
    call.receive(dataFrame(0, 0, "abcdef", false), releaseFrame(0));
    Thread.ofPlatform()
        .start(() -> {
          handlers.connection().commit(text("reply"), 3);
          handlers.connection().release();
        })
        .join();
    assertReleased(call, 3);
    assertThat(call.replies()).isEqualTo("reply");
  }

  @Test
  void release_afterAContext_followsTheContext() {
    FakeCall call = handlers.opened(NOTHING, 100);
    call.receive(dataFrame(0, 0, "abc", false), releaseFrame(0));
    handlers.connection().context("state".getBytes(UTF_8));
    handlers.connection().consume(3);
    assertReleased(call, 3);
    assertThat(call.frames().getFirst().getContext().toStringUtf8()).isEqualTo("state");
  }

  @Test
  void release_withAReplyOfAFormerOwnerUnfinished_doesNotEndTheReply() {
    FakeCall call = handlers.opened(NOTHING, 100);
    BridgeFrame.Builder reopen = openFrame(1, 1, RAW, 100);
    reopen
        .getOpenBuilder()
        .getResumeStateBuilder()
        .setFirstOffset(20)
        .setCommitted(50)
        .setCommittedSinceConsumed(4);
    call.receive(reopen, releaseFrame(1));
    assertThat(call.frames().getLast().hasReleased()).isTrue();
    assertThat(call.frames().getLast().hasConsumed()).isFalse();
  }

  @Test
  void release_whileACloseWaits_isAnsweredWithTheClose() {
    FakeCall call = handlers.opened(NOTHING, 1);
    handlers.connection().send(text("ab"));
    handlers.connection().close(CloseReason.DONE);
    call.receive(releaseFrame(0), limitFrame(2));
    assertNotReleased(call);
    assertThat(call.frames().getLast().getCloseValue()).isEqualTo(CloseReason.DONE.wireCode());
  }

  @Test
  void release_withoutSettings_isIgnored() {
    FakeCall call =
        FakeCall.opened(
            UpstreamOptions.DEFAULTS.withAcknowledge(false), handlers.answering(ECHO), RAW, 0);
    call.receive(releaseFrame(0), dataFrame(0, 0, "abc", false));
    assertThat(call.replies()).isEqualTo("abc");
  }

  @Test
  void release_ofAnOlderEpoch_isDropped() {
    FakeCall call = handlers.opened(ECHO, 100);
    call.receive(openFrame(1, 1, RAW, 100), releaseFrame(0), dataFrame(1, 0, "new", false));
    assertNotReleased(call);
    assertThat(call.replies()).isEqualTo("new");
  }

  @Test
  void working_requestUnanswered_sendsAnEmptyFrame() {
    FakeCall call = handlers.opened(NOTHING, 100);
    call.receive(dataFrame(0, 0, "abc", false));
    handlers.connection().working();
    assertThat(call.frames()).containsExactly(UpstreamFrame.newBuilder().setConnection(1).build());
  }

  @Test
  void reopen_awayAndBackByForce_fencesTheFormerAttachmentAcrossLanes() {
    Attachments registry = new Attachments(10);
    FakeCall a = new FakeCall(UpstreamOptions.DEFAULTS, handlers.answering(ECHO), registry).greet();
    FakeCall b = new FakeCall(UpstreamOptions.DEFAULTS, handlers.answering(ECHO), registry).greet();
    a.receive(openFrame(1, 0, RAW, 100));
    b.receive(openFrame(1, 1, RAW, 100));
    a.receive(openFrame(1, 2, RAW, 100), dataFrame(0, 0, "old", false));
    b.receive(dataFrame(1, 0, "old", false));
    a.receive(dataFrame(2, 0, "new", false));
    assertThat(a.replies() + b.replies()).isEqualTo("new");
    assertThat(a.frames().getLast().getEpoch()).isEqualTo(2);
    assertThat(handlers.events(0)).containsExactly("close FENCED");
    assertThat(handlers.events(1)).containsExactly("close FENCED");
    b.lane.onHalfClose();
    assertThat(registry.all()).containsExactly(registry.find("mark-1"));
  }

  @Test
  void reopen_awayAndBackByRelease_resumesWhereTheFormerOwnerStopped() {
    Attachments registry = new Attachments(10);
    FakeCall a = new FakeCall(UpstreamOptions.DEFAULTS, handlers.answering(ECHO), registry).greet();
    FakeCall b = new FakeCall(UpstreamOptions.DEFAULTS, handlers.answering(ECHO), registry).greet();
    a.receive(openFrame(1, 0, RAW, 100), dataFrame(0, 0, "one", false), releaseFrame(0));
    b.receive(handedOver(1, 3), dataFrame(1, 3, "two", false), releaseFrame(1));
    a.receive(handedOver(2, 6), dataFrame(2, 6, "three", false));
    assertThat(a.replies()).isEqualTo("onethree");
    assertThat(b.replies()).isEqualTo("two");
    assertReleased(b, 6);
    assertThat(a.frames().getLast().getConsumed()).isEqualTo(11);
    assertThat(registry.count()).isEqualTo(1);
  }

  private static BridgeFrame.Builder handedOver(int epoch, long offset) {
    BridgeFrame.Builder frame = openFrame(1, epoch, RAW, 100);
    frame.getOpenBuilder().getResumeStateBuilder().setFirstOffset(offset).setCommitted(offset);
    return frame;
  }
}
