package dev.waymark.upstreams;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.config.PoolConfig.Ejection;
import dev.waymark.engine.Suspicion;
import java.time.Duration;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class EjectorTest {
  private static final long SECOND_NS = 1_000_000_000L;
  private static final Ejection OPTIONS = options(true, 50);

  private final Ejector ejector = new Ejector(OPTIONS);

  /** Wraps around soon. */
  private long nowNs = Long.MAX_VALUE - 5 * SECOND_NS;

  @Test
  void suspicions_asManyAsTheThreshold_eject() {
    for (int i = 0; i < 4; i++) {
      assertThat(suspect("a", Suspicion.LANE_BROKEN)).isFalse();
      pass(2);
    }
    assertThat(suspect("a", Suspicion.LANE_BROKEN)).isTrue();
    assertThat(ejector.isEjected("a")).isTrue();
    assertThat(ejector.leftNs(nowNs, "a")).isEqualTo(30 * SECOND_NS);
    assertThat(ejector.nextDeadlineNs(nowNs)).hasValue(nowNs + 30 * SECOND_NS);
  }

  @Test
  void suspicions_thatAreOld_doNotCount() {
    for (int i = 0; i < 20; i++) {
      assertThat(suspect("a", Suspicion.TIMED_OUT)).isFalse();
      pass(3);
    }
  }

  @Test
  void suspicions_ofOneMoment_areOne() {
    for (int i = 0; i < 100; i++) {
      assertThat(suspect("a", Suspicion.OPEN_REFUSED)).isFalse();
      nowNs += 10_000_000;
    }
    assertThat(suspect("a", Suspicion.LANE_BROKEN)).isFalse();
  }

  @Test
  void stalled_ejectsAtOnce() {
    assertThat(suspect("a", Suspicion.STALLED)).isTrue();
  }

  @Test
  void ejection_isOverInTime() {
    suspect("a", Suspicion.STALLED);
    pass(29);
    assertThat(ejector.onDeadline(nowNs)).isEmpty();
    pass(1);
    assertThat(ejector.onDeadline(nowNs)).containsExactly("a");
    assertThat(ejector.onDeadline(nowNs)).isEmpty();
    assertThat(ejector.isEjected("a")).isFalse();
    assertThat(ejector.nextDeadlineNs(nowNs)).isEqualTo(OptionalLong.empty());
  }

  @Test
  void ejections_inARow_growToTheirMax() {
    long[] expectedS = {30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300};
    for (long seconds : expectedS) {
      suspect("a", Suspicion.STALLED);
      assertThat(ejector.leftNs(nowNs, "a")).isEqualTo(seconds * SECOND_NS);
      pass(seconds);
      ejector.onDeadline(nowNs);
    }
  }

  @Test
  void ejections_afterATimeInHealth_countLess() {
    for (int i = 0; i < 3; i++) {
      suspect("a", Suspicion.STALLED);
      pass(300);
      ejector.onDeadline(nowNs);
      nowNs -= 300 * SECOND_NS - ((i + 1) * 30 * SECOND_NS);
    }
    pass(65);
    suspect("a", Suspicion.STALLED);
    assertThat(ejector.leftNs(nowNs, "a")).as("3 - 2 + 1").isEqualTo(60 * SECOND_NS);
    pass(60);
    ejector.onDeadline(nowNs);
    pass(3_000);
    suspect("a", Suspicion.STALLED);
    assertThat(ejector.leftNs(nowNs, "a")).isEqualTo(30 * SECOND_NS);
  }

  @Test
  void ejected_ofThree_isOneAtMost() {
    assertThat(ejector.onSuspicion(nowNs, "a", Suspicion.STALLED, 3, true)).isTrue();
    assertThat(ejector.onSuspicion(nowNs, "b", Suspicion.STALLED, 3, true)).isFalse();
    assertThat(ejector.onSuspicion(nowNs, "b", Suspicion.STALLED, 4, true)).isTrue();
  }

  @Test
  void ejected_isNeverTheLastThatServes() {
    ejector.reconfigure(nowNs, options(true, 100));
    assertThat(ejector.onSuspicion(nowNs, "a", Suspicion.STALLED, 2, true)).isTrue();
    assertThat(ejector.onSuspicion(nowNs, "b", Suspicion.STALLED, 2, false)).isFalse();
  }

  @Test
  void off_ejectsNobodyAndEndsWhatIsOn() {
    suspect("a", Suspicion.STALLED);
    assertThat(ejector.reconfigure(nowNs, options(false, 50))).containsExactly("a");
    assertThat(suspect("a", Suspicion.STALLED)).isFalse();
  }

  @Test
  void gone_isForgotten() {
    suspect("a", Suspicion.STALLED);
    ejector.onGone("a");
    assertThat(ejector.isEjected("a")).isFalse();
    suspect("a", Suspicion.STALLED);
    assertThat(ejector.leftNs(nowNs, "a")).isEqualTo(30 * SECOND_NS);
  }

  private boolean suspect(String upstream, Suspicion why) {
    return ejector.onSuspicion(nowNs, upstream, why, 4, true);
  }

  private void pass(long seconds) {
    nowNs += seconds * SECOND_NS;
  }

  private static Ejection options(boolean isOn, int percentMax) {
    return new Ejection(
        isOn, 5, Duration.ofSeconds(10), Duration.ofSeconds(30), Duration.ofMinutes(5), percentMax);
  }
}
