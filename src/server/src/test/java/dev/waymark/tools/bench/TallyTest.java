package dev.waymark.tools.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

class TallyTest {
  private final Tally tally = new Tally();
  private final Histogram total = Tally.histogram();

  @Test
  void answers_outsideTheMeasuredTime_areNotMeasured() {
    tally.answered(10, 5, 64);
    tally.window(100, 200);
    tally.answered(99, 5, 64);
    tally.answered(100, 1_000, 64);
    tally.answered(199, 2_000, 64);
    tally.answered(200, 5, 64);
    assertThat(tally.takeInterval(total).getTotalCount()).isEqualTo(4);
    assertThat(total.getTotalCount()).isEqualTo(2);
    assertThat(total.getMinValue()).isEqualTo(1_000);
    assertThat(tally.counts().answered()).isEqualTo(2);
    assertThat(tally.counts().bytes()).isEqualTo(128);
  }

  @Test
  void intervals_takenOneByOne_addUp() {
    tally.window(0, Long.MAX_VALUE);
    tally.answered(1, 1_000, 1);
    assertThat(tally.takeInterval(total).getTotalCount()).isEqualTo(1);
    tally.answered(2, 3_000, 1);
    tally.answered(3, 3_000, 1);
    assertThat(tally.takeInterval(total).getTotalCount()).isEqualTo(2);
    assertThat(total.getTotalCount()).isEqualTo(3);
    assertThat(total.getValueAtPercentile(99)).isBetween(3_000L, 3_010L);
  }

  @Test
  void requests_unanswered_countInTheLatencyWithTheTimeWaited() {
    tally.window(0, 1_000);
    tally.unanswered(10, 9_000_000);
    tally.unsent(20, Long.MAX_VALUE);
    tally.unsent(1_000, 7);
    tally.takeInterval(total);
    assertThat(total.getTotalCount()).isEqualTo(2);
    assertThat(total.getMaxValue()).isGreaterThanOrEqualTo(Tally.LATENCY_MAX_NS);
    assertThat(tally.counts().answered()).isZero();
    assertThat(tally.counts().unanswered()).isEqualTo(1);
    assertThat(tally.counts().unsent()).as("due before the end").isEqualTo(1);
    assertThat(tally.counts().errors()).isEqualTo(1);
  }

  @Test
  void failures_ofManyConnections_areKeptForTheFirstFew() {
    for (int i = 0; i < 1_000; i++) {
      tally.lost("connection " + i);
    }
    assertThat(tally.counts().lost()).isEqualTo(1_000);
    assertThat(tally.failures()).hasSize(10).startsWith("connection 0");
  }
}
