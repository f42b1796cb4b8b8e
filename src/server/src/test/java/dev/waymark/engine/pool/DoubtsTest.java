package dev.waymark.engine.pool;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DoubtsTest {
  /** The monotonic clock may wrap. */
  private static final long START_NS = Long.MAX_VALUE - Doubts.MEMORY_NS / 2;

  private final Doubts doubts = new Doubts();

  @Test
  void doubts_inTime_areForgotten() {
    assertThat(doubts.count(at(0))).isZero();
    doubts.add(at(0));
    doubts.add(at(1));
    assertThat(doubts.count(at(1))).isEqualTo(2);
    assertThat(doubts.count(at(Doubts.MEMORY_NS + 1))).isEqualTo(1);
    assertThat(doubts.count(at(Doubts.MEMORY_NS + 2))).isZero();
  }

  @Test
  void doubts_inNumber_areBounded() {
    for (int i = 0; i < 3 * Doubts.COUNT_MAX; i++) {
      doubts.add(at(i));
    }
    assertThat(doubts.count(at(3 * Doubts.COUNT_MAX))).isEqualTo(Doubts.COUNT_MAX);
  }

  private static long at(long offsetNs) {
    return START_NS + offsetNs;
  }
}
