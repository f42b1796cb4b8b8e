package dev.waymark.upstreams;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class BackoffTest {
  @Test
  void waits_growToTheMostAndStayInBounds() {
    long[] most = new long[10];
    for (int seed = 0; seed < 2_000; seed++) {
      Backoff backoff = backoff(seed);
      for (int i = 0; i < most.length; i++) {
        long wait = backoff.nextMs();
        assertThat(wait).isBetween(100L, Math.min(10_000L, 200L << i));
        most[i] = Math.max(most[i], wait);
      }
    }
    assertThat(most[0]).isBetween(190L, 200L);
    assertThat(most[9]).isBetween(9_900L, 10_000L);
  }

  @Test
  void reset_afterManyTries_startsShortAgain() {
    Backoff backoff = backoff(1);
    LongStream.range(0, 20).forEach(i -> backoff.nextMs());
    backoff.reset();
    assertThat(backoff.nextMs()).isLessThanOrEqualTo(200);
  }

  @Test
  void successes_thatAreShort_doNotStartShortAgain() {
    Backoff backoff = backoff(1);
    long most =
        LongStream.range(0, 20)
            .map(i -> {
              backoff.resetAfter(1);
              return backoff.nextMs();
            })
            .max()
            .orElseThrow();
    assertThat(most).isGreaterThan(5_000);
    backoff.resetAfter(10_000);
    assertThat(backoff.nextMs()).isLessThanOrEqualTo(200);
  }

  @Test
  void zeroBounds_neverSpin() {
    Backoff backoff = new Backoff(Duration.ZERO, Duration.ZERO, new SplittableRandom(1));
    assertThat(backoff.nextMs()).isEqualTo(Backoff.FLOOR_MS);
    assertThat(backoff.clampMs(0)).isEqualTo(Backoff.FLOOR_MS);
  }

  private static Backoff backoff(int seed) {
    return new Backoff(Duration.ofMillis(100), Duration.ofSeconds(10), new SplittableRandom(seed));
  }
}
