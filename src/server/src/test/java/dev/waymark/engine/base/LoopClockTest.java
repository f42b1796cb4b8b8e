package dev.waymark.engine.base;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LoopClockTest {
  private static final long MS = 1_000_000L;
  private static final long START_NS = Long.MAX_VALUE - 500 * MS;

  private final List<Long> standstillsMs = new ArrayList<>();
  private final LoopClock clock = new LoopClock(ns -> standstillsMs.add(ns / MS));

  private static long at(long ms) {
    return START_NS + ms * MS;
  }

  private long atMs(long ms) {
    return (clock.nowNs(at(ms)) - START_NS) / MS;
  }

  @Test
  void time_readOncePerTick_isTheMonotonicTime() {
    clock.start(START_NS);
    for (int ms = 0; ms <= 2_000; ms += 100) {
      assertThat(atMs(ms)).isEqualTo(ms);
    }
    assertThat(standstillsMs).isEmpty();
  }

  @Test
  void time_acrossAStandstill_advancesByOneTick() {
    clock.start(START_NS);
    assertThat(atMs(50)).isEqualTo(50);
    assertThat(atMs(31_050)).isEqualTo(150);
    assertThat(atMs(31_060)).isEqualTo(160);
    assertThat(standstillsMs).containsExactly(30_900L);
    assertThat(clock.standstillNs()).isEqualTo(30_900 * MS);
  }

  @Test
  void time_withEveryTurnLate_stillAdvances() {
    clock.start(START_NS);
    for (int i = 1; i <= 10; i++) {
      assertThat(atMs(i * 1_000L)).isEqualTo(i * 100L);
    }
  }

  @Test
  void time_beforeTheStart_isTheMonotonicTime() {
    assertThat(atMs(0)).isZero();
    assertThat(atMs(5_000)).isEqualTo(5_000);
    clock.start(at(9_000));
    assertThat(atMs(9_010)).isEqualTo(9_010);
    assertThat(standstillsMs).isEmpty();
  }

  @Test
  void deadlines_afterAStandstill_waitForOneTick() {
    clock.start(START_NS);
    atMs(100);
    assertThat(clock.isDeferringDeadlines()).isFalse();
    atMs(3_000);
    assertThat(clock.isDeferringDeadlines()).isTrue();
    assertThat(clock.isDeferringDeadlines()).isFalse();
  }

  @Test
  void deadlines_withEveryTurnLate_fireEveryOtherTurn() {
    clock.start(START_NS);
    List<Boolean> deferred = new ArrayList<>();
    for (int i = 1; i <= 4; i++) {
      atMs(i * 1_000L);
      deferred.add(clock.isDeferringDeadlines());
    }
    assertThat(deferred).containsExactly(true, false, true, false);
  }
}
