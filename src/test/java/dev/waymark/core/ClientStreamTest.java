package dev.waymark.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.waymark.core.ClientStream.Chunk;
import io.netty.buffer.ByteBuf;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class ClientStreamTest {
  private final ClientStream stream = new ClientStream();

  @Test
  void next_withSmallWindow_cutsAndKeepsLastForTheEnd() {
    stream.enqueue(Fixtures.bytes(10), true);
    assertThat(take(6, 6)).isFalse();
    assertThat(stream.next(6)).isNull();
    assertThat(stream.consume(3)).isTrue();
    assertThat(take(6, 3)).isFalse();
    stream.consumeAllSent();
    assertThat(take(6, 1)).isTrue();
    assertThat(stream.isEmpty()).isTrue();
    stream.checkInvariants();
  }

  @Test
  void next_ofALargeBuffer_isAtMostAPayload() {
    stream.enqueue(Fixtures.bytes(Limits.PAYLOAD_BYTES_MAX + 1), false);
    take(1 << 20, Limits.PAYLOAD_BYTES_MAX);
    take(1 << 20, 1);
  }

  @Test
  void next_ofAnEmptyLastChunk_needsNoRoom() {
    stream.pass(5);
    stream.enqueue(Fixtures.bytes(0), true);
    assertThat(take(5, 0)).isTrue();
  }

  @Test
  void consume_lowerOrBeyond_isIgnoredOrRefused() {
    stream.pass(10);
    assertThat(stream.consume(7)).isTrue();
    assertThat(stream.consume(3)).isTrue();
    assertThat(stream.consumedOffset()).isEqualTo(7);
    assertThat(stream.consume(11)).isFalse();
    assertThat(stream.consumedOffset()).isEqualTo(7);
  }

  @Test
  void end_withBytesWaiting_isSentBehindThemOnce() {
    stream.enqueue(Fixtures.bytes(2), false);
    stream.end();
    assertThat(stream.isEndToBeSent()).isFalse();
    take(5, 2);
    assertThat(stream.isEndToBeSent()).isTrue();
    stream.endSent();
    assertThat(stream.isEndToBeSent()).isFalse();
  }

  @Test
  void release_withBytesWaiting_dropsAndCountsThem() {
    ByteBuf waiting = Fixtures.bytes(4);
    stream.enqueue(waiting, false);
    stream.release();
    assertThat(waiting.refCnt()).isZero();
    assertThat(stream.pendingBytes()).isZero();
    assertThat(stream.receivedOffset()).isEqualTo(4);
    stream.checkInvariants();
  }

  @Test
  void pass_whereBytesWait_isADefect() {
    stream.enqueue(Fixtures.bytes(1), false);
    assertThatThrownBy(() -> stream.pass(1)).isInstanceOf(IllegalStateException.class);
  }

  private boolean take(int window, int bytes) {
    Chunk chunk = Objects.requireNonNull(stream.next(window));
    assertThat(chunk.payload().readableBytes()).isEqualTo(bytes);
    chunk.payload().release();
    stream.checkInvariants();
    return chunk.isLast();
  }
}
