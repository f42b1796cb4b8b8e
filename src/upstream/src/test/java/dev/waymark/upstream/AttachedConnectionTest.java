package dev.waymark.upstream;

import static dev.waymark.upstream.FakeCall.dataFrame;
import static dev.waymark.upstream.FakeCall.limitFrame;
import static dev.waymark.upstream.FakeCall.openFrame;
import static dev.waymark.upstream.ScriptHandlers.ECHO;
import static dev.waymark.upstream.ScriptHandlers.LINE;
import static dev.waymark.upstream.ScriptHandlers.MESSAGES;
import static dev.waymark.upstream.ScriptHandlers.NOTHING;
import static dev.waymark.upstream.ScriptHandlers.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.waymark.protocol.CloseReason;
import dev.waymark.v1.BridgeFrame;
import dev.waymark.v1.Close;
import dev.waymark.v1.HalfClose;
import dev.waymark.v1.UpstreamFrame;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a handler sends: the reply window, the queue, order across threads, ends. */
final class AttachedConnectionTest {
  @RegisterExtension final ScriptHandlers handlers = new ScriptHandlers();

  @Test
  void limit_reachedExactly_isNotExceeded() {
    FakeCall call = handlers.opened((connection, data) -> connection.send(data.retainedSlice()), 4);
    call.receive(dataFrame(0, 0, "abcd", false));
    assertThat(handlers.connection().isWaiting()).isFalse();
    call.receive(dataFrame(0, 4, "ef", false));
    assertThat(call.replies()).isEqualTo("abcd");
    assertThat(handlers.connection().isWaiting()).isTrue();

    call.receive(limitFrame(3), limitFrame(5));
    assertThat(call.replies()).isEqualTo("abcde");
    call.receive(limitFrame(100));
    assertThat(call.replies()).isEqualTo("abcdef");
    assertThat(handlers.events()).endsWith("writable");
  }

  @Test
  void commit_ofTheReplyWindow_leavesWholeAndALargerOneIsRefused() {
    FakeCall call = handlers.opened(NOTHING, 200_000);
    handlers.connection().commit(Unpooled.wrappedBuffer(new byte[200_000]), 0);
    assertThat(call.frames())
        .extracting(UpstreamFrame::getMore)
        .containsExactly(true, true, true, false);
    assertThat(call.frames())
        .extracting(UpstreamFrame::hasConsumed)
        .containsExactly(false, false, false, true);

    ByteBuf large = Unpooled.wrappedBuffer(new byte[200_001]);
    assertThatThrownBy(() -> handlers.connection().commit(large, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("exceeds the maximum of 200000");
    assertThat(large.refCnt()).isZero();
  }

  @Test
  void commit_beyondTheLimit_waitsWhole() {
    FakeCall call = handlers.opened(NOTHING, 4);
    handlers.connection().commit(text("abc"), 0);
    handlers.connection().commit(text("def"), 0);
    assertThat(call.replies()).isEqualTo("abc");
    call.receive(limitFrame(5));
    assertThat(call.replies()).isEqualTo("abc");
    call.receive(limitFrame(6));
    assertThat(call.replies()).isEqualTo("abcdef");
  }

  @Test
  void halfClose_whileBytesWait_followsThem() {
    FakeCall call = handlers.opened((connection, data) -> connection.send(data.retainedSlice()), 2);
    call.receive(
        dataFrame(0, 0, "abc", false),
        BridgeFrame.newBuilder()
            .setConnection(1)
            .setHalfClose(HalfClose.newBuilder().setOffset(3)));
    assertThat(call.frames()).noneMatch(UpstreamFrame::getHalfClose);
    call.receive(limitFrame(3));
    assertThat(call.replies()).isEqualTo("abc");
    assertThat(call.frames().getLast().getHalfClose()).isTrue();
    assertThatThrownBy(() -> handlers.connection().send(text("x")))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void halfClose_repeatedByTheClient_isReportedOnceAndBytesAfterItAreAViolation() {
    FakeCall call = handlers.opened(ECHO, 100);
    call.receive(dataFrame(0, 0, "abc", false), halfCloseFrame(3), halfCloseFrame(3));
    assertThat(handlers.events()).containsExactly("data abc 3", "half-close");
    assertThat(call.frames()).noneMatch(frame -> frame.getCloseValue() != 0);
    call.receive(dataFrame(0, 3, "d", false));
    assertThat(call.frames().getLast().getCloseValue()).isEqualTo(CloseReason.PROTOCOL.wireCode());
    assertThat(handlers.events()).hasSize(3).endsWith("close PROTOCOL");
  }

  @Test
  void close_withAReasonReservedForBridges_isRefused() {
    FakeCall call = handlers.opened(NOTHING, 100);
    for (CloseReason reason :
        List.of(CloseReason.FENCED, CloseReason.MOVED, CloseReason.UNKNOWN_CONNECTION)) {
      assertThatThrownBy(() -> handlers.connection().close(reason))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(reason.name());
    }
    assertThat(call.frames()).isEmpty();
    assertThat(handlers.connection().isOpen()).isTrue();
  }

  private static BridgeFrame.Builder halfCloseFrame(long offset) {
    return BridgeFrame.newBuilder()
        .setConnection(1)
        .setHalfClose(HalfClose.newBuilder().setOffset(offset));
  }

  @Test
  void close_withDone_followsWaitingBytesAndAbortDropsThem() {
    FakeCall call = handlers.opened(NOTHING, 2);
    handlers.connection().send(text("abc"));
    handlers.connection().close(CloseReason.DONE);
    assertThat(handlers.connection().isOpen()).isTrue();
    call.receive(limitFrame(3));
    assertThat(call.frames().getLast().getCloseValue()).isEqualTo(CloseReason.DONE.wireCode());
    assertThat(handlers.events()).endsWith("close DONE");

    call = handlers.opened(NOTHING, 2);
    handlers.connection().send(text("abc"));
    handlers.connection().close(CloseReason.ABORT);
    assertThat(call.replies()).isEqualTo("ab");
    assertThat(call.frames().getLast().getCloseValue()).isEqualTo(CloseReason.ABORT.wireCode());
    handlers.connection().send(text("dropped"));
  }

  @Test
  void queue_full_refusesRepliesAndMergesSmallOnes() {
    handlers.opened(NOTHING, 65_536);
    handlers.connection().send(Unpooled.wrappedBuffer(new byte[65_536]));
    for (int i = 0; i < 100_000; i++) {
      handlers.connection().commit(text("x"), 0);
    }
    assertThatThrownBy(
            () -> handlers.connection().send(Unpooled.wrappedBuffer(new byte[1024 * 1024])))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("onWritable");
  }

  @Test
  void reopen_afterAPartialReply_resumesWhereTheFormerOwnerStopped() {
    FakeCall call = FakeCall.opened(MESSAGES, handlers.answering(NOTHING), LINE, 100);
    call.receive(reopenFrame(20, 50, 4, 60));
    call.receive(dataFrame(1, 20, "again\n", true));
    assertThat(handlers.events()).containsExactly("data again\n 26");
    handlers.connection().commit(text("0123456789"), 26);
    assertThat(call.replies()).isEqualTo("456789");
    handlers.connection().commit(text("next"), 26);
    assertThat(call.replies()).isEqualTo("456789next");
  }

  @Test
  void reopen_whileTheClientLags_commitOfTheReplyWindowWaitsForTheLimit() {
    FakeCall call = FakeCall.opened(MESSAGES, handlers.answering(NOTHING), LINE, 100);
    call.receive(reopenFrame(0, 95, 0, 100));
    handlers.connection().commit(text("x".repeat(100)), 0);
    assertThat(call.replies()).isEmpty();
    call.receive(limitFrame(195).setEpoch(1));
    assertThat(call.replies()).hasSize(100);
  }

  /** The Open of connection 1 at its second owner. */
  private static BridgeFrame.Builder reopenFrame(
      long firstOffset, long committed, long committedSinceConsumed, long limit) {
    BridgeFrame.Builder frame = openFrame(1, 1, LINE, limit);
    frame
        .getOpenBuilder()
        .getResumeStateBuilder()
        .setFirstOffset(firstOffset)
        .setCommitted(committed)
        .setCommittedSinceConsumed(committedSinceConsumed)
        .setReplyWindowBytes(100);
    return frame;
  }

  @Test
  void close_crossingClose_isIgnored() {
    FakeCall call = handlers.opened(ECHO, 100);
    handlers.connection().close(CloseReason.DONE);
    assertThat(call.frames().getLast().getCloseValue()).isEqualTo(CloseReason.DONE.wireCode());
    int sent = call.frames().size();
    call.receive(
        BridgeFrame.newBuilder()
            .setConnection(1)
            .setClose(Close.newBuilder().setReasonValue(CloseReason.CLIENT_RESET.wireCode())));
    assertThat(call.frames()).hasSize(sent);
    assertThat(call.status).isNull();
    assertThat(handlers.events()).hasSizeLessThanOrEqualTo(1);
  }

  @Test
  void send_fromManyThreads_losesNothingAndKeepsTheOrderOfEach() throws InterruptedException {
    FakeCall call = handlers.opened(NOTHING, 1_000_000);
    List<Thread> threads = new ArrayList<>();
    for (char name : "abcd".toCharArray()) {
      threads.add(
          Thread.ofPlatform()
              .start(() -> {
                for (int i = 0; i < 1_000; i++) {
                  handlers.connection().send(text(name + "%03d".formatted(i)));
                }
              }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    String replies = call.replies();
    assertThat(replies).hasSize(16_000);
    for (char name : "abcd".toCharArray()) {
      int from = -1;
      for (int i = 0; i < 1_000; i++) {
        int at = replies.indexOf(name + "%03d".formatted(i));
        assertThat(at).isGreaterThan(from);
        from = at;
      }
    }
  }

  @Test
  void send_splitAtTheLimit_mergesTheRestWithLaterReplies() {
    FakeCall call = handlers.opened(NOTHING, 16_384);
    handlers.connection().send(Unpooled.wrappedBuffer(new byte[10_000]));
    handlers.connection().send(Unpooled.wrappedBuffer(new byte[16_000]));
    handlers.connection().send(Unpooled.wrappedBuffer(new byte[1_000]));
    assertThat(call.replies()).hasSize(16_384);
    call.receive(limitFrame(100_000));
    assertThat(call.replies()).hasSize(27_000);
  }

  @Test
  void halfClose_beforeTheClientEnds_stillAllowsConsume() {
    FakeCall call = handlers.opened(NOTHING, 100);
    handlers.connection().halfClose();
    call.receive(dataFrame(0, 0, "abc", false));
    handlers.connection().consume(3);
    assertThat(call.frames().getLast().getConsumed()).isEqualTo(3);
    assertThatThrownBy(() -> handlers.connection().commit(text("x"), 3))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void send_fromTheHandlerAfterAnotherThread_keepsTheOrder() {
    FakeCall call =
        handlers.opened(
            (connection, _) -> {
              onAnotherThread(() -> connection.commit(text("first "), 1));
              connection.commit(text("second "), 1);
              connection.send(text("third"));
              connection.halfClose();
            },
            100);
    call.receive(dataFrame(0, 0, "a", false));
    assertThat(call.replies()).isEqualTo("first second third");
    assertThat(call.frames().getLast().getHalfClose()).isTrue();
    assertThat(call.sent).hasSize(1);
  }

  @Test
  void halfCloseAndDone_afterAReplyFromAnotherThread_followIt() {
    FakeCall call =
        handlers.opened(
            (connection, _) -> {
              onAnotherThread(() -> connection.commit(text("reply"), 1));
              connection.halfClose();
              connection.close(CloseReason.DONE);
            },
            100);
    call.receive(dataFrame(0, 0, "a", false));
    assertThat(call.replies()).isEqualTo("reply");
    assertThat(call.frames())
        .extracting(UpstreamFrame::getHalfClose)
        .containsExactly(false, true, false);
    assertThat(call.frames().getLast().getCloseValue()).isEqualTo(CloseReason.DONE.wireCode());
  }

  private static void onAnotherThread(Runnable task) {
    try {
      Thread.ofPlatform().start(task).join();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
