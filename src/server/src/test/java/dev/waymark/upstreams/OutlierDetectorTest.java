package dev.waymark.upstreams;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.config.OutlierKeys;
import dev.waymark.config.PoolConfig;
import dev.waymark.engine.base.OutlierSignal;
import java.time.Duration;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class OutlierDetectorTest {
  private static final long SECOND_NS = 1_000_000_000L;
  private static final PoolConfig OPTIONS = options(true, 50);

  private final OutlierDetector outliers = new OutlierDetector(OPTIONS);

  /** Wraps around soon. */
  private long nowNs = Long.MAX_VALUE - 5 * SECOND_NS;

  @Test
  void signals_reachingTheThreshold_eject() {
    for (int i = 0; i < 4; i++) {
      assertThat(signal("a", OutlierSignal.LANE_BROKEN)).isFalse();
      pass(2);
    }
    assertThat(signal("a", OutlierSignal.LANE_BROKEN)).isTrue();
    assertThat(outliers.isEjected("a")).isTrue();
    assertThat(outliers.leftNs(nowNs, "a")).isEqualTo(30 * SECOND_NS);
    assertThat(outliers.ejection("a"))
        .contains(new PoolReport.Ejection(OutlierSignal.LANE_BROKEN, nowNs + 30 * SECOND_NS));
    assertThat(outliers.ejection("b")).isEmpty();
    assertThat(outliers.nextDeadlineNs(nowNs)).hasValue(nowNs + 30 * SECOND_NS);
  }

  @Test
  void signals_olderThanTheWindow_doNotCount() {
    for (int i = 0; i < 20; i++) {
      assertThat(signal("a", OutlierSignal.TIMED_OUT)).isFalse();
      pass(3);
    }
  }

  @Test
  void signals_ofOneMoment_countAsOne() {
    for (int i = 0; i < 100; i++) {
      assertThat(signal("a", OutlierSignal.OPEN_REFUSED)).isFalse();
      nowNs += 10_000_000;
    }
    assertThat(signal("a", OutlierSignal.LANE_BROKEN)).isFalse();
  }

  @Test
  void stalled_ejectsAtOnce() {
    assertThat(signal("a", OutlierSignal.STALLED)).isTrue();
  }

  @Test
  void ejection_endsAtItsDeadline() {
    signal("a", OutlierSignal.STALLED);
    pass(29);
    assertThat(outliers.onDeadline(nowNs)).isEmpty();
    pass(1);
    assertThat(outliers.onDeadline(nowNs)).containsExactly("a");
    assertThat(outliers.onDeadline(nowNs)).isEmpty();
    assertThat(outliers.isEjected("a")).isFalse();
    assertThat(outliers.nextDeadlineNs(nowNs)).isEqualTo(OptionalLong.empty());
  }

  @Test
  void ejections_inARow_growToTheMaximum() {
    long[] expectedS = {30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300};
    for (long seconds : expectedS) {
      signal("a", OutlierSignal.STALLED);
      assertThat(outliers.leftNs(nowNs, "a")).isEqualTo(seconds * SECOND_NS);
      pass(seconds);
      outliers.onDeadline(nowNs);
    }
  }

  @Test
  void ejections_afterHealthyTime_countLess() {
    for (int i = 0; i < 3; i++) {
      signal("a", OutlierSignal.STALLED);
      pass(300);
      outliers.onDeadline(nowNs);
      nowNs -= 300 * SECOND_NS - ((i + 1) * 30L * SECOND_NS);
    }
    pass(65);
    signal("a", OutlierSignal.STALLED);
    assertThat(outliers.leftNs(nowNs, "a")).as("3 - 2 + 1").isEqualTo(60 * SECOND_NS);
    pass(60);
    outliers.onDeadline(nowNs);
    pass(3_000);
    signal("a", OutlierSignal.STALLED);
    assertThat(outliers.leftNs(nowNs, "a")).isEqualTo(30 * SECOND_NS);
  }

  @Test
  void ejected_ofThree_isAtMostOne() {
    assertThat(outliers.onOutlierSignal(nowNs, "a", OutlierSignal.STALLED, 3, true)).isTrue();
    assertThat(outliers.onOutlierSignal(nowNs, "b", OutlierSignal.STALLED, 3, true)).isFalse();
    assertThat(outliers.onOutlierSignal(nowNs, "b", OutlierSignal.STALLED, 4, true)).isTrue();
  }

  @Test
  void lastServingUpstream_isNeverEjected() {
    outliers.reconfigure(nowNs, options(true, 100));
    assertThat(outliers.onOutlierSignal(nowNs, "a", OutlierSignal.STALLED, 2, true)).isTrue();
    assertThat(outliers.onOutlierSignal(nowNs, "b", OutlierSignal.STALLED, 2, false)).isFalse();
  }

  @Test
  void off_ejectsNoneAndEndsCurrentEjections() {
    signal("a", OutlierSignal.STALLED);
    assertThat(outliers.reconfigure(nowNs, options(false, 50))).containsExactly("a");
    assertThat(signal("a", OutlierSignal.STALLED)).isFalse();
  }

  @Test
  void gone_isForgotten() {
    signal("a", OutlierSignal.STALLED);
    outliers.onGone("a");
    assertThat(outliers.isEjected("a")).isFalse();
    signal("a", OutlierSignal.STALLED);
    assertThat(outliers.leftNs(nowNs, "a")).isEqualTo(30 * SECOND_NS);
  }

  private boolean signal(String upstream, OutlierSignal why) {
    return outliers.onOutlierSignal(nowNs, upstream, why, 4, true);
  }

  private void pass(long seconds) {
    nowNs += seconds * SECOND_NS;
  }

  private static PoolConfig options(boolean isOn, int percentMax) {
    return PoolConfig.of("backends", Fixtures.fixed())
        .with(OutlierKeys.EJECTION, isOn)
        .with(OutlierKeys.SIGNALS, 5)
        .with(OutlierKeys.WINDOW, Duration.ofSeconds(10))
        .with(OutlierKeys.TIME, Duration.ofSeconds(30))
        .with(OutlierKeys.TIME_MAX, Duration.ofMinutes(5))
        .with(OutlierKeys.PERCENT_MAX, percentMax);
  }
}
