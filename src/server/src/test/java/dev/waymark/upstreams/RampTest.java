package dev.waymark.upstreams;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class RampTest {
  private static final long DURATION_NS = 30_000_000_007L;

  private final Ramp ramp = new Ramp();
  private long nowNs = Long.MAX_VALUE - DURATION_NS / 3;

  @Test
  void weight_beforeAnyStart_isWhole() {
    assertThat(ramp.percent(nowNs, DURATION_NS)).isEqualTo(100);
    assertThat(ramp.nextStepNs(nowNs, DURATION_NS)).isEmpty();
  }

  @Test
  void weight_risesInTenSteps_eachAtItsDeadline() {
    long startNs = nowNs;
    ramp.start(nowNs);
    List<Integer> percents = new ArrayList<>(List.of(ramp.percent(nowNs, DURATION_NS)));
    OptionalLong next = ramp.nextStepNs(nowNs, DURATION_NS);
    while (next.isPresent()) {
      nowNs = next.getAsLong();
      percents.add(ramp.percent(nowNs, DURATION_NS));
      next = ramp.nextStepNs(nowNs, DURATION_NS);
    }
    assertThat(percents).containsExactly(10, 19, 28, 37, 46, 55, 64, 73, 82, 91, 100);
    assertThat(nowNs - startNs).isEqualTo(DURATION_NS);
  }

  @Test
  void weight_withoutSlowStart_isWhole() {
    ramp.start(nowNs);
    assertThat(ramp.percent(nowNs, 0)).isEqualTo(100);
    assertThat(ramp.percent(nowNs, DURATION_NS)).as("turned on later").isEqualTo(100);
  }
}
