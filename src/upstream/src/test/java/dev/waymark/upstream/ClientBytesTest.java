package dev.waymark.upstream;

import static dev.waymark.upstream.FakeCall.dataFrame;
import static dev.waymark.upstream.ScriptHandlers.ECHO;
import static dev.waymark.upstream.ScriptHandlers.LINE;
import static dev.waymark.upstream.ScriptHandlers.MESSAGES;
import static dev.waymark.upstream.ScriptHandlers.NOTHING;
import static dev.waymark.upstream.ScriptHandlers.RAW;
import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.protocol.CloseReason;
import dev.waymark.v1.UpstreamFrame;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Client bytes on their way to a handler: messages, the window, gaps. */
final class ClientBytesTest {
  @RegisterExtension final ScriptHandlers handlers = new ScriptHandlers();

  @Test
  void message_inSeveralFrames_isAssembled() {
    FakeCall call = FakeCall.opened(MESSAGES, handlers.answering(ECHO), LINE, 100);
    call.receive(
        dataFrame(0, 0, "he", false),
        dataFrame(0, 2, "llo\n", true),
        dataFrame(0, 6, "you\n", true));
    assertThat(handlers.events()).containsExactly("data hello\n 6", "data you\n 10");
    assertThat(call.replies()).isEqualTo("hello\nyou\n");
  }

  @Test
  void message_empty_isDeliveredAndAnswered() {
    FakeCall call = FakeCall.opened(MESSAGES, handlers.answering(ECHO), LINE, 100);
    call.receive(
        dataFrame(0, 0, "\n", true), dataFrame(0, 1, "\n", true), dataFrame(0, 2, "a\n", true));
    assertThat(handlers.events()).containsExactly("data \n 1", "data \n 2", "data a\n 4");
    assertThat(
            handlers
                .connection()
                .unframed(Unpooled.wrappedBuffer(new byte[] {'\n'}))
                .readableBytes())
        .isZero();
    assertThat(call.replies()).isEqualTo("\n\na\n");
  }

  @Test
  void message_longerThanTheWindow_closesTheConnection() {
    UpstreamOptions narrow =
        new UpstreamOptions(
            true, Delivery.MESSAGES, 8, MESSAGES.queueBytesMax(), MESSAGES.connectionsMax(), false);
    FakeCall call = FakeCall.opened(narrow, handlers.answering(ECHO), LINE, 100);
    call.receive(dataFrame(0, 0, "1234567\n", true), dataFrame(0, 8, "12345678", false));
    assertThat(call.replies()).isEqualTo("1234567\n");
    assertThat(call.frames().getLast().getCloseValue())
        .isEqualTo(CloseReason.FRAME_TOO_LONG.wireCode());
  }

  @Test
  void message_longerThanTheListenersLimit_closesTheConnection() {
    FakeCall call = FakeCall.opened(MESSAGES, handlers.answering(ECHO), LINE, 100);
    call.receive(dataFrame(0, 0, "12345678", false), dataFrame(0, 8, "901", false));
    assertThat(call.frames().getLast().getCloseValue())
        .isEqualTo(CloseReason.FRAME_TOO_LONG.wireCode());
  }

  @Test
  void window_overrun_closesTheConnectionWithFlowControl() {
    FakeCall call =
        FakeCall.opened(
            UpstreamOptions.DEFAULTS.withWindowBytes(16_384),
            handlers.answering(NOTHING),
            RAW,
            100);
    call.receive(dataFrame(0, 0, "x".repeat(16_384), false));
    assertThat(call.frames()).isEmpty();
    handlers.connection().consume(1);
    call.receive(dataFrame(0, 16_384, "y", false));
    call.receive(dataFrame(0, 16_385, "z", false));
    assertThat(call.frames().getLast().getCloseValue())
        .isEqualTo(CloseReason.FLOW_CONTROL.wireCode());
    assertThat(call.status).isNull();
  }

  @Test
  void data_withAGap_closesTheConnectionWithProtocol() {
    FakeCall call = handlers.opened(ECHO, 100);
    call.receive(dataFrame(0, 1, "x", false));
    assertThat(call.frames().getLast().getCloseValue()).isEqualTo(CloseReason.PROTOCOL.wireCode());
  }

  @Test
  void data_withALimitThatMakesTheHandlerClose_isDropped() {
    FakeCall call = FakeCall.opened(MESSAGES, CloseWhenWritable::new, LINE, 1);
    call.receive(dataFrame(0, 0, "ab\n", true));
    call.receive(dataFrame(0, 3, "longer than a line may be", false).setLimit(100));
    assertThat(call.replies()).isEqualTo("ab\n");
    assertThat(call.frames())
        .extracting(UpstreamFrame::getCloseValue)
        .containsExactly(0, 0, CloseReason.DONE.wireCode());
  }

  private record CloseWhenWritable(UpstreamConnection connection) implements ConnectionHandler {
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
}
