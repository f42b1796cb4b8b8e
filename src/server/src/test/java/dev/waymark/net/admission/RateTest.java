package dev.waymark.net.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RateTest {
  private static final long S = TimeUnit.SECONDS.toNanos(1);

  /** A bucket as {@link Source} and {@link AcceptBucket} keep it. */
  private static final class Bucket {
    private final Rate rate;
    private long fullAtNs;

    Bucket(String rate, long nowNs) {
      this.rate = Rate.read(rate);
      this.fullAtNs = nowNs;
    }

    boolean take(long nowNs) {
      boolean isAllowed = rate.allows(fullAtNs, rate.intervalNs(), nowNs);
      if (isAllowed) {
        fullAtNs = Rate.after(fullAtNs, rate.intervalNs(), nowNs);
      }
      return isAllowed;
    }

    int takeAll(long nowNs) {
      int taken = 0;
      while (take(nowNs)) {
        taken++;
      }
      return taken;
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"1/s", "100/s", "1000000/s", "20/m", "1/h"})
  void rate_asText_isAsWritten(String text) {
    assertThat(Rate.read(text)).hasToString(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "100", "0/s", "-1/s", "1000001/s", "9999999/s", "1/d", "1 /s", "01/s", "1/S"})
  void rate_invalid_isRefused(String text) {
    assertThatThrownBy(() -> Rate.read(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(Rate.EXPECTED);
  }

  @ParameterizedTest
  @ValueSource(strings = {"1/s", "3/s", "7/m", "999999/s", "1000000/h"})
  void fullBucket_hasExactlyTheRatesCount(String text) {
    Bucket bucket = new Bucket(text, 5);
    assertThat(bucket.takeAll(5)).isEqualTo(Rate.read(text).count());
  }

  @Test
  void emptyBucket_fillsEvenly_andNotBeyondItsSize() {
    Bucket bucket = new Bucket("10/s", 0);
    assertThat(bucket.takeAll(0)).isEqualTo(10);
    assertThat(bucket.takeAll(S / 10 - 1)).isZero();
    assertThat(bucket.takeAll(S / 10)).isOne();
    assertThat(bucket.takeAll(S / 2)).isEqualTo(4);
    assertThat(bucket.takeAll(3600 * S)).isEqualTo(10);
  }

  /** System.nanoTime may be anything, and pass the largest long. */
  @Test
  void clock_thatOverflows_makesNoDifference() {
    long startNs = Long.MAX_VALUE - S / 20;
    Bucket bucket = new Bucket("10/s", startNs);
    assertThat(bucket.takeAll(startNs)).isEqualTo(10);
    assertThat(bucket.takeAll(startNs + S / 10)).isOne();
    assertThat(bucket.takeAll(startNs + 10 * S)).isEqualTo(10);
  }

  /** Threads read the clock before they get the lock. */
  @Test
  void clock_thatGoesBackALittle_givesNothingAway() {
    Bucket bucket = new Bucket("10/s", S);
    assertThat(bucket.takeAll(S)).isEqualTo(10);
    assertThat(bucket.takeAll(S - S / 10)).isZero();
    assertThat(bucket.takeAll(S + S / 10)).isOne();
  }

  @Test
  void randomArrivals_neverExceedTheRate_andFloodsGetAllOfIt() {
    SplittableRandom random = new SplittableRandom(7);
    Bucket bucket = new Bucket("50/s", 0);
    long nowNs = 0;
    long taken = 0;
    while (nowNs < 100 * S) {
      nowNs += random.nextLong(S / 100);
      taken += bucket.take(nowNs) ? 1 : 0;
      assertThat(taken).isLessThanOrEqualTo(50 + nowNs / (S / 50));
    }
    assertThat(taken).isGreaterThan(5_000);
  }
}
