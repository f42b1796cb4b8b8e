package dev.waymark.engine.stream;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PushedBytesTest {
  private final PushedBytes pushed = new PushedBytes();

  @Test
  void written_acrossReplyAndPush_isAttributedInOrder() {
    pushed.hand(10, 4);
    assertThat(pushed.written(7, 0)).isEqualTo(7);
    assertThat(pushed.written(5, 7)).isEqualTo(3);
    assertThat(pushed.takeFinishedBuffers()).isZero();
    assertThat(pushed.writtenBytes()).isEqualTo(2);
    assertThat(pushed.written(9, 10)).isEqualTo(7);
    assertThat(pushed.takeFinishedBuffers()).isEqualTo(1);
    assertThat(pushed.writtenBytes()).isEqualTo(4);
    assertThat(pushed.isEmpty()).isTrue();
  }

  @Test
  void written_acrossSeveralPushes_finishesTheirBuffers() {
    pushed.hand(0, 3);
    pushed.hand(0, 3);
    pushed.hand(5, 3);
    assertThat(pushed.buffers()).isEqualTo(3);
    assertThat(pushed.written(13, 0)).isEqualTo(5);
    assertThat(pushed.takeFinishedBuffers()).isEqualTo(2);
    assertThat(pushed.handedBytes() - pushed.writtenBytes()).isEqualTo(1);
    assertThat(pushed.written(1, 5)).isZero();
    assertThat(pushed.takeFinishedBuffers()).isEqualTo(1);
  }

  @Test
  void written_exactlyUpToAPush_leavesThePush() {
    pushed.hand(6, 2);
    assertThat(pushed.written(6, 0)).isEqualTo(6);
    assertThat(pushed.buffers()).isEqualTo(1);
    assertThat(pushed.written(2, 6)).isZero();
    assertThat(pushed.isEmpty()).isTrue();
  }
}
