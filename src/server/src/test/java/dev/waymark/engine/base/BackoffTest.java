package dev.waymark.engine.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BackoffTest {
  @Test
  void ceiling_doublesWithEachFailureUpToTheMaximum() {
    Backoff backoff = new Backoff(100, 1_000);
    assertThat(IntStream.rangeClosed(0, 6).mapToLong(backoff::ceilingNs))
        .containsExactly(100L, 100L, 200L, 400L, 800L, 1_000L, 1_000L);
  }

  @Test
  void ceiling_neverOverflows() {
    Backoff backoff = new Backoff(Long.MAX_VALUE / 3, Long.MAX_VALUE);
    assertThat(backoff.ceilingNs(2)).isEqualTo(Long.MAX_VALUE / 3 * 2);
    assertThat(backoff.ceilingNs(3)).isEqualTo(Long.MAX_VALUE);
    assertThat(backoff.ceilingNs(Integer.MAX_VALUE)).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void noWait_staysNone() {
    assertThat(new Backoff(0, 0).ceilingNs(9)).isZero();
    assertThat(new Backoff(0, 10).ceilingNs(9)).isZero();
  }

  @Test
  void bounds_inWrongOrder_areRefused() {
    assertThatThrownBy(() -> new Backoff(2, 1)).hasMessageContaining("in order");
    assertThatThrownBy(() -> new Backoff(-1, 1)).hasMessageContaining("in order");
  }
}
