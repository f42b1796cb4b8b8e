package dev.waymark.upstream;

import static dev.waymark.upstream.FakeCall.dataFrame;
import static dev.waymark.upstream.FakeCall.limitFrame;
import static dev.waymark.upstream.FakeCall.openFrame;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.waymark.core.CloseReason;
import dev.waymark.v1.BridgeFrame;
import dev.waymark.v1.Close;
import dev.waymark.v1.Framing;
import dev.waymark.v1.HalfClose;
import dev.waymark.v1.Ping;
import dev.waymark.v1.UpstreamFrame;
import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class LaneTest {
  private static final Framing RAW = Framing.getDefaultInstance();
  private static final Framing LINE =
      Framing.newBuilder().setKind(Framing.Kind.LINE).setFrameBytesMax(10).build();
  private static final UpstreamOptions MESSAGES =
      UpstreamOptions.DEFAULTS.withDelivery(Delivery.MESSAGES);
  private static final BiConsumer<Connection, ByteBuf> ECHO =
      (connection, data) -> connection.commit(data.retainedSlice(), connection.receivedOffset());
  private static final BiConsumer<Connection, ByteBuf> NOTHING = (_, _) -> {};

  private final List<ScriptHandler> handlers = new ArrayList<>();

  @AfterEach
  void releaseWhatWaits() {
    handlers.forEach(handler -> handler.connection.close(CloseReason.ABORT));
  }

  private ConnectionHandler.Factory handler(BiConsumer<Connection, ByteBuf> onData) {
    return connection -> {
      handlers.add(new ScriptHandler(connection, onData));
      return handlers.getLast();
    };
  }

  private FakeCall opened(BiConsumer<Connection, ByteBuf> onData, long limit) {
    return FakeCall.opened(UpstreamOptions.DEFAULTS, handler(onData), RAW, limit);
  }

  private Connection connection() {
    return handlers.getLast().connection;
  }

  @Test
  void start_acknowledging_sendsSettingsFirstWithTheWindow() {
    FakeCall call =
        new FakeCall(
            UpstreamOptions.DEFAULTS.withWindowBytes(32_768), handler(ECHO), new Attachments(1));
    assertThat(call.frames().getFirst().getSettings().getWindowBytes()).isEqualTo(32_768);
    assertThat(call.requested).isEqualTo(1);
  }

  @Test
  void data_severalFrames_answersLeaveInOneBatch() {
    FakeCall call = opened(ECHO, 100);
    call.receive(dataFrame(0, 0, "ab", false), dataFrame(0, 2, "cd", false));
    assertThat(call.sent).hasSize(1);
    assertThat(call.replies()).isEqualTo("abcd");
    assertThat(call.frames().getLast().getConsumed()).isEqualTo(4);
  }

  @Test
  void limit_exactlyReached_sendsAllAndNoMore() {
    FakeCall call = opened((connection, data) -> connection.send(data.retainedSlice()), 4);
    call.receive(dataFrame(0, 0, "abcd", false));
    assertThat(connection().isWaiting()).isFalse();
    call.receive(dataFrame(0, 4, "ef", false));
    assertThat(call.replies()).isEqualTo("abcd");
    assertThat(connection().isWaiting()).isTrue();

    call.receive(limitFrame(3), limitFrame(5));
    assertThat(call.replies()).isEqualTo("abcde");
    call.receive(limitFrame(100));
    assertThat(call.replies()).isEqualTo("abcdef");
    assertThat(handlers.getLast().events).endsWith("writable");
  }

  @Test
  void commit_exactlyTheGrant_leavesWhole_largerIsRefused() {
    FakeCall call = opened(NOTHING, 200_000);
    connection().commit(Unpooled.wrappedBuffer(new byte[200_000]), 0);
    assertThat(call.frames())
        .extracting(UpstreamFrame::getMore)
        .containsExactly(true, true, true, false);
    assertThat(call.frames())
        .extracting(UpstreamFrame::hasConsumed)
        .containsExactly(false, false, false, true);

    ByteBuf large = Unpooled.wrappedBuffer(new byte[200_001]);
    assertThatThrownBy(() -> connection().commit(large, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("larger than the grant of 200000");
    assertThat(large.refCnt()).isZero();
  }

  @Test
  void commit_beyondTheLimit_waitsWhole() {
    FakeCall call = opened(NOTHING, 4);
    connection().commit(text("abc"), 0);
    connection().commit(text("def"), 0);
    assertThat(call.replies()).isEqualTo("abc");
    call.receive(limitFrame(5));
    assertThat(call.replies()).isEqualTo("abc");
    call.receive(limitFrame(6));
    assertThat(call.replies()).isEqualTo("abcdef");
  }

  @Test
  void halfClose_bytesWaiting_finComesBehindThem() {
    FakeCall call = opened((connection, data) -> connection.send(data.retainedSlice()), 2);
    call.receive(
        dataFrame(0, 0, "abc", false),
        BridgeFrame.newBuilder()
            .setConnection(1)
            .setHalfClose(HalfClose.newBuilder().setOffset(3)));
    assertThat(call.frames()).noneMatch(UpstreamFrame::getHalfClose);
    call.receive(limitFrame(3));
    assertThat(call.replies()).isEqualTo("abc");
    assertThat(call.frames().getLast().getHalfClose()).isTrue();
    assertThatThrownBy(() -> connection().send(text("x")))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void close_done_comesBehindWaitingBytes_abortAtOnce() {
    FakeCall call = opened(NOTHING, 2);
    connection().send(text("abc"));
    connection().close(CloseReason.DONE);
    assertThat(connection().isOpen()).isTrue();
    call.receive(limitFrame(3));
    assertThat(call.frames().getLast().getCloseValue()).isEqualTo(CloseReason.DONE.wireCode());
    assertThat(handlers.getLast().events).endsWith("close DONE");

    call = opened(NOTHING, 2);
    connection().send(text("abc"));
    connection().close(CloseReason.ABORT);
    assertThat(call.replies()).isEqualTo("ab");
    assertThat(call.frames().getLast().getCloseValue()).isEqualTo(CloseReason.ABORT.wireCode());
    connection().send(text("into the void"));
  }

  @Test
  void queue_overItsBound_isRefused_smallRepliesAreMerged() {
    opened(NOTHING, 65_536);
    connection().send(Unpooled.wrappedBuffer(new byte[65_536]));
    for (int i = 0; i < 100_000; i++) {
      connection().commit(text("x"), 0);
    }
    assertThatThrownBy(() -> connection().send(Unpooled.wrappedBuffer(new byte[1024 * 1024])))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("onWritable");
  }

  @Test
  void epoch_older_isDropped_newerOpenFencesTheOld() {
    FakeCall call = opened(ECHO, 100);
    call.receive(openFrame(1, 1, RAW, 100));
    assertThat(handlers.getFirst().events).containsExactly("close FENCED");
    call.receive(
        dataFrame(0, 0, "old", false), openFrame(1, 0, RAW, 100), dataFrame(1, 0, "new", false));
    assertThat(call.replies()).isEqualTo("new");
    assertThat(call.frames().getLast().getEpoch()).isEqualTo(1);
    assertThat(handlers).hasSize(2);
  }

  @Test
  void epoch_newerOnAnotherLane_fencesTheOld() {
    Attachments registry = new Attachments(10);
    FakeCall first = new FakeCall(UpstreamOptions.DEFAULTS, handler(ECHO), registry).greet();
    FakeCall second = new FakeCall(UpstreamOptions.DEFAULTS, handler(ECHO), registry).greet();
    first.receive(openFrame(1, 0, RAW, 100));
    second.receive(openFrame(1, 1, RAW, 100));
    assertThat(handlers.getFirst().events).containsExactly("close FENCED");
    assertThat(registry.count()).isEqualTo(1);
  }

  @Test
  void reopened_repliesGoOnWhereTheFormerOwnerStopped() {
    FakeCall call = FakeCall.opened(MESSAGES, handler(NOTHING), LINE, 100);
    call.receive(reopenFrame(20, 50, 4, 60));
    call.receive(dataFrame(1, 20, "again\n", true));
    assertThat(handlers.getLast().events).containsExactly("data again\n 26");
    connection().commit(text("0123456789"), 26);
    assertThat(call.replies()).isEqualTo("456789");
    connection().commit(text("next"), 26);
    assertThat(call.replies()).isEqualTo("456789next");
  }

  @Test
  void reopened_whileTheClientHasOldRepliesToTake_commitOfTheGrantWaitsForItsLimit() {
    FakeCall call = FakeCall.opened(MESSAGES, handler(NOTHING), LINE, 100);
    call.receive(reopenFrame(0, 95, 0, 100));
    connection().commit(text("x".repeat(100)), 0);
    assertThat(call.replies()).isEmpty();
    call.receive(limitFrame(195).setEpoch(1));
    assertThat(call.replies()).hasSize(100);
  }

  /** Of connection 1 at its second owner. */
  private static BridgeFrame.Builder reopenFrame(
      long firstOffset, long taken, long takenSinceConsumed, long limit) {
    BridgeFrame.Builder frame = openFrame(1, 1, LINE, limit);
    frame
        .getOpenBuilder()
        .getReopenBuilder()
        .setFirstOffset(firstOffset)
        .setTaken(taken)
        .setTakenSinceConsumed(takenSinceConsumed)
        .setGrant(100);
    return frame;
  }

  @Test
  void message_inPieces_isPutTogether() {
    FakeCall call = FakeCall.opened(MESSAGES, handler(ECHO), LINE, 100);
    call.receive(
        dataFrame(0, 0, "he", false),
        dataFrame(0, 2, "llo\n", true),
        dataFrame(0, 6, "you\n", true));
    assertThat(handlers.getLast().events).containsExactly("data hello\n 6", "data you\n 10");
    assertThat(call.replies()).isEqualTo("hello\nyou\n");
  }

  @Test
  void message_empty_isDeliveredAndAnswered() {
    FakeCall call = FakeCall.opened(MESSAGES, handler(ECHO), LINE, 100);
    call.receive(
        dataFrame(0, 0, "\n", true), dataFrame(0, 1, "\n", true), dataFrame(0, 2, "a\n", true));
    assertThat(handlers.getLast().events).containsExactly("data \n 1", "data \n 2", "data a\n 4");
    assertThat(connection().unframed(Unpooled.wrappedBuffer(new byte[] {'\n'})).readableBytes())
        .isZero();
    assertThat(call.replies()).isEqualTo("\n\na\n");
  }

  @Test
  void message_longerThanTheWindow_closesInsteadOfWaitingForItsEnd() {
    UpstreamOptions narrow =
        new UpstreamOptions(
            true, Delivery.MESSAGES, 8, MESSAGES.queueBytesMax(), MESSAGES.connectionsMax());
    FakeCall call = FakeCall.opened(narrow, handler(ECHO), LINE, 100);
    call.receive(dataFrame(0, 0, "1234567\n", true), dataFrame(0, 8, "12345678", false));
    assertThat(call.replies()).isEqualTo("1234567\n");
    assertThat(call.frames().getLast().getCloseValue())
        .isEqualTo(CloseReason.FRAME_TOO_LONG.wireCode());
  }

  @Test
  void message_longerThanTheListenerSays_closesTheConnection() {
    FakeCall call = FakeCall.opened(MESSAGES, handler(ECHO), LINE, 100);
    call.receive(dataFrame(0, 0, "12345678", false), dataFrame(0, 8, "901", false));
    assertThat(call.frames().getLast().getCloseValue())
        .isEqualTo(CloseReason.FRAME_TOO_LONG.wireCode());
  }

  @Test
  void window_overrun_closesTheConnectionWithFlowControl() {
    FakeCall call =
        FakeCall.opened(
            UpstreamOptions.DEFAULTS.withWindowBytes(16_384), handler(NOTHING), RAW, 100);
    call.receive(dataFrame(0, 0, "x".repeat(16_384), false));
    assertThat(call.frames()).isEmpty();
    connection().consume(1);
    call.receive(dataFrame(0, 16_384, "y", false));
    call.receive(dataFrame(0, 16_385, "z", false));
    assertThat(call.frames().getLast().getCloseValue())
        .isEqualTo(CloseReason.FLOW_CONTROL.wireCode());
    assertThat(call.status).isNull();
  }

  @Test
  void data_withAGap_closesTheConnectionWithProtocol() {
    FakeCall call = opened(ECHO, 100);
    call.receive(dataFrame(0, 1, "x", false));
    assertThat(call.frames().getLast().getCloseValue()).isEqualTo(CloseReason.PROTOCOL.wireCode());
  }

  @Test
  void ping_isAnsweredWithItsId() {
    FakeCall call = opened(ECHO, 100);
    call.receive(BridgeFrame.newBuilder().setPing(Ping.newBuilder().setId(77)));
    assertThat(call.frames().getLast().getPong().getId()).isEqualTo(77);
  }

  @Test
  void transport_notReady_repliesWaitUntilItIs() {
    FakeCall call = opened(ECHO, 100);
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
  void noAck_transportNotReady_readingPauses() {
    FakeCall call =
        FakeCall.opened(UpstreamOptions.DEFAULTS.withAcknowledge(false), handler(ECHO), RAW, 0);
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
  void handler_throws_onlyItsConnectionEnds() {
    FakeCall call =
        opened(
            (_, _) -> {
              throw new IllegalStateException("a test's defect");
            },
            100);
    call.receive(dataFrame(0, 0, "a", false));
    assertThat(call.frames().getLast().getCloseValue()).isEqualTo(CloseReason.ABORT.wireCode());
    assertThat(call.status).isNull();
  }

  @Test
  void bridge_closesConnection_handlerIsToldAndNothingAnswered() {
    FakeCall call = opened(ECHO, 100);
    call.receive(
        BridgeFrame.newBuilder()
            .setConnection(1)
            .setClose(Close.newBuilder().setReasonValue(CloseReason.CLIENT_RESET.wireCode())),
        dataFrame(0, 0, "late", false));
    assertThat(handlers.getLast().events).containsExactly("close CLIENT_RESET");
    assertThat(call.sent).isEmpty();
  }

  @Test
  void close_crossingClose_isIgnored() {
    FakeCall call = opened(ECHO, 100);
    connection().close(CloseReason.DONE);
    assertThat(call.frames().getLast().getCloseValue()).isEqualTo(CloseReason.DONE.wireCode());
    int sent = call.frames().size();
    call.receive(
        BridgeFrame.newBuilder()
            .setConnection(1)
            .setClose(Close.newBuilder().setReasonValue(CloseReason.CLIENT_RESET.wireCode())));
    assertThat(call.frames()).hasSize(sent);
    assertThat(call.status).isNull();
    assertThat(handlers.getLast().events).hasSizeLessThanOrEqualTo(1);
  }

  @Test
  void lane_ended_endsItsAttachments() {
    FakeCall call = opened(ECHO, 100);
    call.lane.onHalfClose();
    assertThat(handlers.getLast().events).containsExactly("close UPSTREAM_LOST");
    assertThat(call.status).isEqualTo(Status.OK);
  }

  @Test
  void connections_overTheMaximum_areRefusedWithBusy() {
    FakeCall call =
        new FakeCall(
                UpstreamOptions.DEFAULTS.withConnectionsMax(1), handler(ECHO), new Attachments(1))
            .greet();
    call.receive(openFrame(1, 0, RAW, 10), openFrame(2, 0, RAW, 10));
    assertThat(call.frames().getLast().getConnection()).isEqualTo(2);
    assertThat(call.frames().getLast().getCloseValue()).isEqualTo(CloseReason.BUSY.wireCode());
  }

  @Test
  void send_fromManyThreads_losesNothingAndKeepsEachThreadsOrder() throws InterruptedException {
    FakeCall call = opened(NOTHING, 1_000_000);
    List<Thread> threads = new ArrayList<>();
    for (char name : "abcd".toCharArray()) {
      threads.add(
          Thread.ofPlatform()
              .start(() -> {
                for (int i = 0; i < 1_000; i++) {
                  connection().send(text(name + "%03d".formatted(i)));
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
  void send_cutAtTheLimit_moreIsMergedWithTheRest() {
    FakeCall call = opened(NOTHING, 16_384);
    connection().send(Unpooled.wrappedBuffer(new byte[10_000]));
    connection().send(Unpooled.wrappedBuffer(new byte[16_000]));
    connection().send(Unpooled.wrappedBuffer(new byte[1_000]));
    assertThat(call.replies()).hasSize(16_384);
    call.receive(limitFrame(100_000));
    assertThat(call.replies()).hasSize(27_000);
  }

  @Test
  void data_withALimitAfterWhichTheHandlerCloses_isDropped() {
    FakeCall call = FakeCall.opened(MESSAGES, ClosingWhenWritable::new, LINE, 1);
    call.receive(dataFrame(0, 0, "ab\n", true));
    call.receive(dataFrame(0, 3, "longer than a line may be", false).setLimit(100));
    assertThat(call.replies()).isEqualTo("ab\n");
    assertThat(call.frames())
        .extracting(UpstreamFrame::getCloseValue)
        .containsExactly(0, 0, CloseReason.DONE.wireCode());
  }

  private record ClosingWhenWritable(Connection connection) implements ConnectionHandler {
    @Override
    public void onData(ByteBuf data, long endOffset) {
      connection.send(data.retainedSlice());
    }

    @Override
    public void onHalfClose() {}

    @Override
    public void onWritable() {
      connection.close(CloseReason.DONE);
    }
  }

  @Test
  void halfClose_clientGoesOn_itsBytesCanBeConsumed() {
    FakeCall call = opened(NOTHING, 100);
    connection().halfClose();
    call.receive(dataFrame(0, 0, "abc", false));
    connection().consume(3);
    assertThat(call.frames().getLast().getConsumed()).isEqualTo(3);
    assertThatThrownBy(() -> connection().commit(text("x"), 3))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void send_fromTheHandlerAfterAnotherThread_comesBehind() {
    FakeCall call =
        opened(
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
  void halfCloseAndDone_fromTheHandlerAfterAnotherThreadsReply_comeBehind() {
    FakeCall call =
        opened(
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

  private static ByteBuf text(String text) {
    return ByteBufUtil.writeUtf8(UnpooledByteBufAllocator.DEFAULT, text).slice().asReadOnly();
  }
}
