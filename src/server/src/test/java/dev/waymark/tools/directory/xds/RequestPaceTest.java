package dev.waymark.tools.directory.xds;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RequestPaceTest {
  private static final long START_NS = Long.MAX_VALUE - 5;

  @Test
  void burst_isReadAtOnce_andThenTheRateHolds() {
    RequestPace pace = new RequestPace(10, START_NS);
    for (int i = 0; i < 100; i++) {
      assertThat(pace.afterRequestNs(START_NS)).isZero();
    }
    assertThat(pace.afterRequestNs(START_NS)).isEqualTo(MILLISECONDS.toNanos(100));
    long laterNs = START_NS + MILLISECONDS.toNanos(100);
    assertThat(pace.afterRequestNs(laterNs)).isEqualTo(MILLISECONDS.toNanos(100));
  }

  @Test
  void pause_givesTheBurstBack_andNoMore() {
    RequestPace pace = new RequestPace(10, START_NS);
    long laterNs = START_NS + SECONDS.toNanos(1_000);
    for (int i = 0; i < 100; i++) {
      assertThat(pace.afterRequestNs(laterNs)).isZero();
    }
    assertThat(pace.afterRequestNs(laterNs)).isPositive();
  }
}
