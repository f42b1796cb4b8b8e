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
  void suspicions_asManyAsTheThreshold_eject() {
    for (int i = 0; i < 4; i++) {
      assertThat(suspect("a", OutlierSignal.LANE_BROKEN)).isFalse();
      pass(2);
    }
    assertThat(suspect("a", OutlierSignal.LANE_BROKEN)).isTrue();
    assertThat(outliers.isEjected("a")).isTrue();
    assertThat(outliers.leftNs(nowNs, "a")).isEqualTo(30 * SECOND_NS);
    assertThat(outliers.nextDeadlineNs(nowNs)).hasValue(nowNs + 30 * SECOND_NS);
  }

  @Test
  void suspicions_thatAreOld_doNotCount() {
    for (int i = 0; i < 20; i++) {
      assertThat(suspect("a", OutlierSignal.TIMED_OUT)).isFalse();
      pass(3);
    }
  }

  @Test
  void suspicions_ofOneMoment_areOne() {
    for (int i = 0; i < 100; i++) {
      assertThat(suspect("a", OutlierSignal.OPEN_REFUSED)).isFalse();
      nowNs += 10_000_000;
    }
    assertThat(suspect("a", OutlierSignal.LANE_BROKEN)).isFalse();
  }

  @Test
  void stalled_ejectsAtOnce() {
    assertThat(suspect("a", OutlierSignal.STALLED)).isTrue();
  }

  @Test
  void ejection_isOverInTime() {
    suspect("a", OutlierSignal.STALLED);
    pass(29);
    assertThat(outliers.onDeadline(nowNs)).isEmpty();
    pass(1);
    assertThat(outliers.onDeadline(nowNs)).containsExactly("a");
    assertThat(outliers.onDeadline(nowNs)).isEmpty();
    assertThat(outliers.isEjected("a")).isFalse();
    assertThat(outliers.nextDeadlineNs(nowNs)).isEqualTo(OptionalLong.empty());
  }

  @Test
  void ejections_inARow_growToTheirMax() {
    long[] expectedS = {30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300};
    for (long seconds : expectedS) {
      suspect("a", OutlierSignal.STALLED);
      assertThat(outliers.leftNs(nowNs, "a")).isEqualTo(seconds * SECOND_NS);
      pass(seconds);
      outliers.onDeadline(nowNs);
    }
  }

  @Test
  void ejections_afterATimeInHealth_countLess() {
    for (int i = 0; i < 3; i++) {
      suspect("a", OutlierSignal.STALLED);
      pass(300);
      outliers.onDeadline(nowNs);
      nowNs -= 300 * SECOND_NS - ((i + 1) * 30L * SECOND_NS);
    }
    pass(65);
    suspect("a", OutlierSignal.STALLED);
    assertThat(outliers.leftNs(nowNs, "a")).as("3 - 2 + 1").isEqualTo(60 * SECOND_NS);
    pass(60);
    outliers.onDeadline(nowNs);
    pass(3_000);
    suspect("a", OutlierSignal.STALLED);
    assertThat(outliers.leftNs(nowNs, "a")).isEqualTo(30 * SECOND_NS);
  }

  @Test
  void ejected_ofThree_isOneAtMost() {
    assertThat(outliers.onOutlierSignal(nowNs, "a", OutlierSignal.STALLED, 3, true)).isTrue();
    assertThat(outliers.onOutlierSignal(nowNs, "b", OutlierSignal.STALLED, 3, true)).isFalse();
    assertThat(outliers.onOutlierSignal(nowNs, "b", OutlierSignal.STALLED, 4, true)).isTrue();
  }

  @Test
  void ejected_isNeverTheLastThatServes() {
    outliers.reconfigure(nowNs, options(true, 100));
    assertThat(outliers.onOutlierSignal(nowNs, "a", OutlierSignal.STALLED, 2, true)).isTrue();
    assertThat(outliers.onOutlierSignal(nowNs, "b", OutlierSignal.STALLED, 2, false)).isFalse();
  }

  @Test
  void off_ejectsNobodyAndEndsWhatIsOn() {
    suspect("a", OutlierSignal.STALLED);
    assertThat(outliers.reconfigure(nowNs, options(false, 50))).containsExactly("a");
    assertThat(suspect("a", OutlierSignal.STALLED)).isFalse();
  }

  @Test
  void gone_isForgotten() {
    suspect("a", OutlierSignal.STALLED);
    outliers.onGone("a");
    assertThat(outliers.isEjected("a")).isFalse();
    suspect("a", OutlierSignal.STALLED);
    assertThat(outliers.leftNs(nowNs, "a")).isEqualTo(30 * SECOND_NS);
  }

  private boolean suspect(String upstream, OutlierSignal why) {
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
