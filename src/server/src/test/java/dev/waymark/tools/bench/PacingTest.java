package dev.waymark.tools.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PacingTest {
  private static final long START_NS = -5_000_000_000L;
  private static final long SECOND_NS = 1_000_000_000L;

  @Test
  void dueNs_overAnHour_doesNotDrift() {
    Pacing pacing = new Pacing(START_NS, 30_000);
    assertThat(pacing.dueNs(0)).isEqualTo(START_NS);
    assertThat(pacing.dueNs(30_000)).isEqualTo(START_NS + SECOND_NS);
    assertThat(pacing.dueNs(30_000L * 3_600)).isEqualTo(START_NS + 3_600 * SECOND_NS);
  }

  @Test
  void dueCount_atEachDueTime_includesThatRequest() {
    for (double perSecond : new double[] {0.5, 1, 3, 7, 999.9, 10_000, 1_234_567}) {
      Pacing pacing = new Pacing(START_NS, perSecond);
      for (long index = 0; index < 10_000; index++) {
        long dueNs = pacing.dueNs(index);
        assertThat(pacing.dueCount(dueNs)).isGreaterThan(index).isLessThan(index + 3);
        assertThat(pacing.dueNs(pacing.dueCount(dueNs) - 1) - dueNs).isNotPositive();
      }
    }
  }

  @Test
  void dueCount_beforeTheStart_isZero() {
    Pacing pacing = new Pacing(START_NS, 10);
    assertThat(pacing.dueCount(START_NS - 1)).isZero();
    assertThat(pacing.dueCount(START_NS)).isEqualTo(1);
    assertThat(pacing.dueCount(START_NS + SECOND_NS - 1)).isEqualTo(10);
  }
}
