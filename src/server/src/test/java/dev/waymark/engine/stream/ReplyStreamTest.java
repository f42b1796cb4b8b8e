package dev.waymark.engine.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.engine.shard.Fixtures;
import dev.waymark.engine.stream.ReplyStream.HeldCommit;
import dev.waymark.protocol.UpstreamFrame;
import io.netty.buffer.ByteBuf;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class ReplyStreamTest {
  private final ReplyStream stream = new ReplyStream(100);

  @Test
  void credit_afterHalfTheReplyWindowIsWritten_isDue() {
    reply(60);
    assertThat(stream.isCreditDue()).isFalse();
    stream.written(49, 0);
    assertThat(stream.isCreditDue()).isFalse();
    stream.written(1, 0);
    assertThat(stream.isCreditDue()).isTrue();
    stream.creditSent();
    assertThat(stream.limitOffset()).isEqualTo(150);
    assertThat(stream.creditBytes()).isZero();
    stream.checkInvariants();
  }

  @Test
  void overrun_byOneByte_isDetected() {
    reply(90);
    assertThat(stream.isOverrunBy(10)).isFalse();
    assertThat(stream.isOverrunBy(11)).isTrue();
  }

  @Test
  void heldCommit_complete_combinesItsFrames() {
    hold(5, frame -> frame.consumed(3).context(new byte[] {1}).more(true));
    hold(6, frame -> frame.halfClose(true).close(2));
    assertThat(stream.heldBytes()).isEqualTo(11);
    assertThat(stream.isHoldingClose()).isTrue();
    assertThat(stream.holdDeadlineNs()).isEqualTo(7);
    HeldCommit whole = stream.takeHeld();
    assertThat(whole.consumed()).isEqualTo(3);
    assertThat(whole.context()).containsExactly(1);
    assertThat(whole.isHalfClose()).isTrue();
    assertThat(whole.close()).isEqualTo(2);
    assertThat(whole.payloads()).hasSize(2);
    whole.payloads().forEach(ByteBuf::release);
  }

  @Test
  void heldCommit_dropped_hasNoEffect() {
    hold(5, frame -> frame.more(true));
    stream.dropHeld();
    assertThat(stream.isHolding()).isFalse();
    assertThat(stream.heldBytes()).isZero();
    assertThat(stream.isOverrunBy(100)).isFalse();
    stream.checkInvariants();
  }

  @Test
  void heldCommit_largerThanTheReplyWindow_isDetected() {
    hold(60, frame -> frame.more(true));
    assertThat(stream.isCommitTooLargeWith(40)).isFalse();
    assertThat(stream.isCommitTooLargeWith(41)).isTrue();
  }

  private void reply(int bytes) {
    stream.receive(bytes);
    stream.take(bytes);
  }

  private void hold(int bytes, Consumer<UpstreamFrame> fields) {
    UpstreamFrame frame = new UpstreamFrame().clear().payload(Fixtures.bytes(bytes));
    fields.accept(frame);
    stream.receive(bytes);
    stream.hold(frame, 7 + (stream.isHolding() ? 100 : 0));
    stream.checkInvariants();
  }
}
