package dev.waymark.core;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DoubtsTest {
  private static final long START_NS = Long.MAX_VALUE - Doubts.MEMORY_NS / 2;

  private final Doubts doubts = new Doubts();

  @Test
  void doubts_areForgotten() {
    assertThat(doubts.count(START_NS)).isZero();
    doubts.add(START_NS);
    doubts.add(START_NS + 1);
    assertThat(doubts.count(START_NS + 1)).isEqualTo(2);
    assertThat(doubts.count(START_NS + Doubts.MEMORY_NS + 1)).isEqualTo(1);
    assertThat(doubts.count(START_NS + Doubts.MEMORY_NS + 2)).isZero();
  }

  @Test
  void doubts_areBounded() {
    for (int i = 0; i < 3 * Doubts.COUNT_MAX; i++) {
      doubts.add(START_NS + i);
    }
    assertThat(doubts.count(START_NS + 3 * Doubts.COUNT_MAX)).isEqualTo(Doubts.COUNT_MAX);
  }
}
