package dev.waymark.tools.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class PayloadTest {
  private final Payload payload = new Payload(42);

  @Test
  void stream_inChunksOfAnyLength_isTheSame() {
    byte[] whole = bytes(7, 0, 4_096);
    SplittableRandom random = new SplittableRandom(1);
    for (int from = 0; from < whole.length; ) {
      int length = Math.min(whole.length - from, random.nextInt(1, 70));
      ByteBuffer piece = ByteBuffer.wrap(whole, from, length);
      assertThat(payload.mismatch(piece, 7, from)).isEqualTo(-1);
      assertThat(bytes(7, from, length)).isEqualTo(slice(whole, from, length));
      assertThat(payload.at(7, from)).isEqualTo(whole[from]);
      from += length;
    }
  }

  @Test
  void mismatch_atAnyOffset_isFound() {
    for (int offset = 0; offset < 9; offset++) {
      for (int length = 1; length < 40; length++) {
        for (int wrong = 0; wrong < length; wrong++) {
          byte[] got = bytes(3, offset, length);
          got[wrong] ^= 1;
          assertThat(payload.mismatch(ByteBuffer.wrap(got), 3, offset)).isEqualTo(wrong);
        }
      }
    }
  }

  @Test
  void buffer_withAPosition_isFilledAndComparedFromThere() {
    ByteBuffer buffer = ByteBuffer.allocateDirect(64).position(5).limit(50);
    payload.fill(buffer, 1, 100);
    assertThat(payload.mismatch(buffer, 1, 100)).isEqualTo(-1);
    assertThat(buffer.get(5)).isEqualTo(payload.at(1, 100));
    buffer.put(20, (byte) ~buffer.get(20));
    assertThat(payload.mismatch(buffer, 1, 100)).isEqualTo(20);
  }

  @Test
  void word_ofAnyConnection_revealsItsPlace() {
    SplittableRandom random = new SplittableRandom(2);
    for (int i = 0; i < 10_000; i++) {
      int number = random.nextInt(1 << Payload.NUMBER_BITS);
      long index = random.nextLong(1L << 33);
      assertThat(payload.placeOf(payload.word(number, index)))
          .isEqualTo(new Payload.Place(number, index * Payload.WORD_BYTES));
    }
  }

  @Test
  void words_ofARun_allDiffer() {
    Set<Long> words = new HashSet<>();
    for (int number = 0; number < 100; number++) {
      for (int index = 0; index < 100; index++) {
        assertThat(words.add(payload.word(number, index))).isTrue();
      }
    }
  }

  @Test
  void stream_ofAnotherRun_differs() {
    byte[] other = new byte[64];
    new Payload(43).fill(ByteBuffer.wrap(other), 7, 0);
    assertThat(payload.mismatch(ByteBuffer.wrap(other), 7, 0)).isNotNegative();
  }

  private byte[] bytes(int number, long offset, int length) {
    byte[] bytes = new byte[length];
    payload.fill(ByteBuffer.wrap(bytes), number, offset);
    return bytes;
  }

  private static byte[] slice(byte[] whole, int from, int length) {
    byte[] slice = new byte[length];
    System.arraycopy(whole, from, slice, 0, length);
    return slice;
  }
}
