package dev.waymark.net.admission;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class AcceptBucketTest {
  private static final long S = TimeUnit.SECONDS.toNanos(1);
  private static final long MS = TimeUnit.MILLISECONDS.toNanos(1);

  /** How many of a flood get in from one instant to another. */
  private static int flood(AcceptBucket bucket, Rate rate, long rampNs, long fromNs, long untilNs) {
    int taken = 0;
    for (long nowNs = fromNs; nowNs < untilNs; nowNs += MS / 10) {
      taken += bucket.take(rate, rampNs, nowNs) ? 1 : 0;
    }
    return taken;
  }

  @Test
  void flood_withoutARamp_getsTheRate_afterAFirstBurst() {
    AcceptBucket bucket = new AcceptBucket(7 * S);
    Rate rate = Rate.read("1000/s");
    assertThat(flood(bucket, rate, 0, 7 * S, 8 * S)).isBetween(1_995, 2_000);
    assertThat(flood(bucket, rate, 0, 8 * S, 9 * S)).isBetween(995, 1_005);
  }

  @Test
  void flood_withARamp_getsMoreAndMore() {
    AcceptBucket bucket = new AcceptBucket(7 * S);
    Rate rate = Rate.read("1000/s");
    long rampNs = 10 * S;
    assertThat(flood(bucket, rate, rampNs, 7 * S, 8 * S)).isBetween(150, 210);
    assertThat(flood(bucket, rate, rampNs, 8 * S, 9 * S)).isBetween(100, 210);
    assertThat(flood(bucket, rate, rampNs, 9 * S, 16 * S)).isBetween(2_500, 4_200);
    assertThat(flood(bucket, rate, rampNs, 16 * S, 17 * S)).isBetween(850, 1_000);
    assertThat(bucket.isRamping(rampNs, 17 * S)).isFalse();
    assertThat(flood(bucket, rate, rampNs, 17 * S, 18 * S)).isBetween(995, 1_005);
  }

  @Test
  void smallRate_withARamp_stillLetsSomebodyIn() {
    AcceptBucket bucket = new AcceptBucket(0);
    Rate rate = Rate.read("1/s");
    assertThat(bucket.take(rate, 100 * S, 0)).isTrue();
    assertThat(bucket.take(rate, 100 * S, S / 2)).isFalse();
    assertThat(bucket.take(rate, 100 * S, S)).isTrue();
  }

  @Test
  void start_beginsTheRampAgain_withAFullBucket() {
    AcceptBucket bucket = new AcceptBucket(0);
    assertThat(bucket.isRamping(S, 2 * S)).isFalse();
    bucket.start(2 * S);
    assertThat(bucket.isRamping(S, 2 * S)).isTrue();
    assertThat(bucket.isRamping(S, 3 * S)).isFalse();
  }

  @Test
  void clock_beforeTheStart_isTheStart() {
    AcceptBucket bucket = new AcceptBucket(2 * S);
    assertThat(bucket.take(Rate.read("100/s"), S, 2 * S - MS)).isTrue();
  }
}
