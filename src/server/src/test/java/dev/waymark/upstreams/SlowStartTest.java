package dev.waymark.upstreams;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class SlowStartTest {
  private static final long DURATION_NS = 30_000_000_007L;

  private final SlowStart slowStart = new SlowStart();
  private long nowNs = Long.MAX_VALUE - DURATION_NS / 3;

  @Test
  void weight_beforeAnyStart_isWhole() {
    assertThat(slowStart.percent(nowNs, DURATION_NS)).isEqualTo(100);
    assertThat(slowStart.nextStepNs(nowNs, DURATION_NS)).isEmpty();
  }

  @Test
  void weight_risesInTenSteps_atTheirDeadlines() {
    long startNs = nowNs;
    slowStart.start(nowNs);
    List<Integer> percents = new ArrayList<>(List.of(slowStart.percent(nowNs, DURATION_NS)));
    OptionalLong next = slowStart.nextStepNs(nowNs, DURATION_NS);
    while (next.isPresent()) {
      nowNs = next.getAsLong();
      percents.add(slowStart.percent(nowNs, DURATION_NS));
      next = slowStart.nextStepNs(nowNs, DURATION_NS);
    }
    assertThat(percents).containsExactly(10, 19, 28, 37, 46, 55, 64, 73, 82, 91, 100);
    assertThat(nowNs - startNs).isEqualTo(DURATION_NS);
  }

  @Test
  void weight_withoutSlowStart_isWhole() {
    slowStart.start(nowNs);
    assertThat(slowStart.percent(nowNs, 0)).isEqualTo(100);
    assertThat(slowStart.percent(nowNs, DURATION_NS)).as("turned on later").isEqualTo(100);
  }
}
