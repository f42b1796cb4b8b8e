package dev.waymark.upstream.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

final class RetryDelaysTest {
  private final RetryDelays delays = new RetryDelays(RandomGenerator.of("L64X128MixRandom"));

  private long longestNs(int draws) {
    long longest = 0;
    for (int i = 0; i < draws; i++) {
      long next = delays.nextNs();
      assertThat(next).isGreaterThanOrEqualTo(RetryDelays.MIN_NS);
      longest = Math.max(longest, next);
    }
    return longest;
  }

  @Test
  void waits_startShortAndGrowToTheMaximum() {
    assertThat(delays.nextNs()).isBetween(RetryDelays.MIN_NS, 2 * RetryDelays.MIN_NS);
    assertThat(delays.nextNs()).isBetween(RetryDelays.MIN_NS, 4 * RetryDelays.MIN_NS);
    assertThat(longestNs(1_000)).isBetween(RetryDelays.MAX_NS * 9 / 10, RetryDelays.MAX_NS);
  }

  @Test
  void limit_boundsAllWaits() {
    delays.limit(2_500_000_000L);
    assertThat(longestNs(1_000)).isLessThanOrEqualTo(2_500_000_000L);
    delays.limit(1);
    assertThat(longestNs(1_000)).isLessThanOrEqualTo(2 * RetryDelays.MIN_NS);
  }

  @Test
  void success_resetsOnlyIfItLastedLongEnough() {
    longestNs(1_000);
    delays.resetAfter(RetryDelays.MAX_NS - 1);
    assertThat(longestNs(1_000)).isGreaterThan(RetryDelays.MAX_NS / 2);
    delays.resetAfter(RetryDelays.MAX_NS);
    assertThat(delays.nextNs()).isLessThanOrEqualTo(2 * RetryDelays.MIN_NS);
  }
}
