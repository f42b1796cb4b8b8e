package dev.waymark.upstreams.control;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class RetryWaitsTest {
  @Test
  void waits_growToTheMaximumAndStayInBounds() {
    long[] longest = new long[10];
    for (int seed = 0; seed < 2_000; seed++) {
      RetryWaits waits = waits(seed);
      for (int i = 0; i < longest.length; i++) {
        long wait = waits.nextMs();
        assertThat(wait).isBetween(100L, Math.min(10_000L, 200L << i));
        longest[i] = Math.max(longest[i], wait);
      }
    }
    assertThat(longest[0]).isBetween(190L, 200L);
    assertThat(longest[9]).isBetween(9_900L, 10_000L);
  }

  @Test
  void reset_afterManyAttempts_startsWithShortWaits() {
    RetryWaits waits = waits(1);
    LongStream.range(0, 20).forEach(i -> waits.nextMs());
    waits.reset();
    assertThat(waits.nextMs()).isLessThanOrEqualTo(200);
  }

  @Test
  void shortSuccesses_doNotResetWaits() {
    RetryWaits waits = waits(1);
    long longest =
        LongStream.range(0, 20)
            .map(i -> {
              waits.resetAfter(1);
              return waits.nextMs();
            })
            .max()
            .orElseThrow();
    assertThat(longest).isGreaterThan(5_000);
    waits.resetAfter(10_000);
    assertThat(waits.nextMs()).isLessThanOrEqualTo(200);
  }

  @Test
  void zeroBounds_stillWait() {
    RetryWaits waits = new RetryWaits(Duration.ZERO, Duration.ZERO, new SplittableRandom(1));
    assertThat(waits.nextMs()).isEqualTo(RetryWaits.FLOOR_MS);
    assertThat(waits.clampMs(0)).isEqualTo(RetryWaits.FLOOR_MS);
  }

  private static RetryWaits waits(int seed) {
    return new RetryWaits(
        Duration.ofMillis(100), Duration.ofSeconds(10), new SplittableRandom(seed));
  }
}
