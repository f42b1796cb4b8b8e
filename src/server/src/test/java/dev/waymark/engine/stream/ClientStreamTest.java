package dev.waymark.engine.stream;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.waymark.engine.shard.Fixtures;
import dev.waymark.engine.stream.ClientStream.Chunk;
import dev.waymark.protocol.SizeLimits;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class ClientStreamTest {
  private final ClientStream stream = new ClientStream();

  @Test
  void next_withSmallWindow_splitsAndSetsLastAtTheEnd() {
    stream.enqueue(Fixtures.bytes(10), true);
    assertThat(take(6, 6)).isFalse();
    assertThat(stream.next(6, true)).isNull();
    assertThat(stream.consume(3)).isTrue();
    assertThat(take(6, 3)).isFalse();
    stream.consumeAllSent();
    assertThat(take(6, 1)).isTrue();
    assertThat(stream.isEmpty()).isTrue();
    stream.checkInvariants();
  }

  @Test
  void next_ofALargeBuffer_isAtMostTheMaxPayload() {
    stream.enqueue(Fixtures.bytes(SizeLimits.PAYLOAD_BYTES_MAX + 1), false);
    take(1 << 20, SizeLimits.PAYLOAD_BYTES_MAX);
    take(1 << 20, 1);
  }

  @Test
  void next_ofAnEmptyLastChunk_needsNoWindow() {
    pass(5);
    stream.enqueue(Fixtures.bytes(0), true);
    assertThat(take(5, 0)).isTrue();
  }

  @Test
  void consume_belowOrBeyond_isIgnoredOrRefused() {
    pass(10);
    assertThat(stream.consume(7)).isTrue();
    assertThat(stream.consume(3)).isTrue();
    assertThat(stream.consumedOffset()).isEqualTo(7);
    assertThat(stream.consume(11)).isFalse();
    assertThat(stream.consumedOffset()).isEqualTo(7);
  }

  @Test
  void end_withBytesWaiting_isSentOnceAfterThem() {
    stream.enqueue(Fixtures.bytes(2), false);
    stream.end();
    assertThat(stream.isEndDue()).isFalse();
    take(5, 2);
    assertThat(stream.isEndDue()).isTrue();
    stream.endSent();
    assertThat(stream.isEndDue()).isFalse();
  }

  @Test
  void release_withBytesWaiting_dropsThem() {
    ByteBuf waiting = Fixtures.bytes(4);
    stream.enqueue(waiting, false);
    stream.release();
    assertThat(waiting.refCnt()).isZero();
    assertThat(stream.pendingBytes()).isZero();
    assertThat(stream.receivedOffset()).isEqualTo(4);
    stream.checkInvariants();
  }

  @Test
  void rewind_afterAPartialConsume_repeatsTheUnconsumedBytes() {
    stream.enqueue(bytes("abcdef"), false);
    stream.enqueue(bytes("ghi"), true);
    stream.enqueue(bytes("jkl"), true);
    stream.end();
    assertThat(takeAll(4)).isEqualTo("abcd");
    stream.consume(3);
    assertThat(takeAll(8)).isEqualTo("efghi|jk");
    assertThat(stream.rewind()).isEqualTo(8);
    stream.checkInvariants();
    assertThat(stream.heldBytes()).isEqualTo(9);
    assertThat(takeAll(100)).isEqualTo("defghi|jkl|");
    assertThat(stream.isEndDue()).isTrue();
  }

  @Test
  void consume_inTheMiddleOfAChunk_keepsTheRest() {
    ByteBuf passed = bytes("abcdef");
    stream.pass(passed, true, true);
    passed.release();
    stream.consume(2);
    assertThat(stream.heldBytes()).isEqualTo(4);
    stream.rewind();
    assertThat(takeAll(100)).isEqualTo("cdef|");
    stream.consume(6);
    assertThat(stream.heldBytes()).isZero();
    assertThat(passed.refCnt()).isZero();
  }

  @Test
  void consume_ofBytesThatTheLaneStillHolds_doesNotFreeThem() {
    ByteBuf sent = Unpooled.copiedBuffer("abcdef", US_ASCII);
    stream.pass(sent, false, true);
    stream.consume(2);
    stream.rewind();
    stream.consume(2);
    Chunk again = Objects.requireNonNull(stream.next(1, true));
    assertThat(again.payload().toString(US_ASCII)).isEqualTo("c");
    assertThat(sent.toString(US_ASCII)).isEqualTo("abcdef");
    sent.release();
    again.payload().release();
    stream.release();
    assertThat(sent.refCnt()).isZero();
  }

  @Test
  void rewind_afterTheEndWasSent_sendsItAgain() {
    stream.end();
    stream.endSent();
    assertThat(stream.rewind()).isZero();
    assertThat(stream.isEndDue()).isTrue();
  }

  @Test
  void pass_withoutKeeping_holdsNothing() {
    ByteBuf passed = bytes("ab");
    stream.pass(passed, false, false);
    passed.release();
    assertThat(stream.heldBytes()).isZero();
    assertThat(passed.refCnt()).isZero();
  }

  @Test
  void pass_withBytesWaiting_isADefect() {
    stream.enqueue(Fixtures.bytes(1), false);
    assertThatThrownBy(() -> stream.pass(Fixtures.bytes(1), false, true))
        .isInstanceOf(IllegalStateException.class);
  }

  private void pass(int bytes) {
    ByteBuf passed = Fixtures.bytes(bytes);
    stream.pass(passed, false, true);
    passed.release();
  }

  private static ByteBuf bytes(String text) {
    return Unpooled.copiedBuffer(text, US_ASCII);
  }

  /** Takes everything that fits this window; a bar marks the end of a message. */
  private String takeAll(int window) {
    StringBuilder text = new StringBuilder();
    for (Chunk chunk = stream.next(window, true);
        chunk != null;
        chunk = stream.next(window, true)) {
      text.append(chunk.payload().toString(US_ASCII)).append(chunk.isLast() ? "|" : "");
      chunk.payload().release();
    }
    stream.checkInvariants();
    return text.toString();
  }

  private boolean take(int window, int bytes) {
    Chunk chunk = Objects.requireNonNull(stream.next(window, true));
    assertThat(chunk.payload().readableBytes()).isEqualTo(bytes);
    chunk.payload().release();
    stream.checkInvariants();
    return chunk.isLast();
  }
}
