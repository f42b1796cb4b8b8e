package dev.waymark.tools.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class FaultTest {
  @Test
  void plan_ofTheSameSeed_isTheSame() {
    assertThat(plan(7)).isEqualTo(plan(7)).isNotEqualTo(plan(8));
  }

  @Test
  void plan_inEachRound_hasEveryKindOnceAndUpstreamsInTurn() {
    List<Fault> plan = plan(7);
    assertThat(plan.subList(4, 8).stream().map(Fault::kind))
        .containsExactlyInAnyOrder(Fault.Kind.values());
    assertThat(plan.subList(3, 6).stream().map(Fault::upstream)).containsExactlyInAnyOrder(0, 1, 2);
  }

  private static List<Fault> plan(long seed) {
    return Stream.generate(new Fault.Plan(seed, 3)::next).limit(24).toList();
  }
}
