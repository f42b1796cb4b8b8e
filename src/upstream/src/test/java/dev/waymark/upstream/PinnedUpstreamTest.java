package dev.waymark.upstream;

import static dev.waymark.upstream.FakeCall.dataFrame;
import static dev.waymark.upstream.FakeCall.limitFrame;
import static dev.waymark.upstream.ScriptHandlers.NOTHING;
import static dev.waymark.upstream.ScriptHandlers.RAW;
import static dev.waymark.upstream.ScriptHandlers.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** An upstream to which connections are pinned: its two directions do not wait for each other. */
final class PinnedUpstreamTest {
  private static final UpstreamOptions PINNED = UpstreamOptions.DEFAULTS.withPinned(true);

  @RegisterExtension final ScriptHandlers handlers = new ScriptHandlers();

  @Test
  void settings_sayThatConnectionsArePinned() {
    FakeCall call = new FakeCall(PINNED, handlers.answering(NOTHING), new Attachments(1));
    assertThat(call.frames().getFirst().getSettings().getPinned()).isTrue();
  }

  @Test
  void consume_whileRepliesWaitForTheLimit_leavesAheadOfThem() {
    FakeCall call = FakeCall.opened(PINNED, handlers.answering(NOTHING), RAW, 4);
    call.receive(dataFrame(0, 0, "request", false));
    handlers.connection().send(text("abcdef"));
    handlers.connection().consume(7);
    assertThat(call.replies()).isEqualTo("abcd");
    assertThat(call.frames().getLast().getConsumed()).isEqualTo(7);
    assertThat(handlers.connection().isWaiting()).isTrue();
    call.receive(limitFrame(100));
    assertThat(call.replies()).isEqualTo("abcdef");
  }

  @Test
  void consume_whileTheTransportIsFull_leavesOnceWhenThereIsRoom() {
    FakeCall call = FakeCall.opened(PINNED, handlers.answering(NOTHING), RAW, 100);
    call.receive(dataFrame(0, 0, "request", false));
    call.isReady = false;
    call.lane.onReady();
    handlers.connection().consume(3);
    handlers.connection().consume(7);
    assertThat(call.frames()).isEmpty();
    assertThat(handlers.connection().isWaiting()).isTrue();
    call.isReady = true;
    call.lane.onReady();
    assertThat(call.frames())
        .singleElement()
        .extracting(frame -> frame.getConsumed())
        .isEqualTo(7L);
    assertThat(handlers.connection().isWaiting()).isFalse();
  }

  @Test
  void upstream_thatDoesNotAcknowledge_cannotBePinned() {
    Upstream.Builder builder = Upstream.builder(handlers.answering(NOTHING)).acknowledge(false);
    assertThatThrownBy(() -> builder.pinned(true)).isInstanceOf(IllegalStateException.class);
  }
}
