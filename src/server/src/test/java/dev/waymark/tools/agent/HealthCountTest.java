package dev.waymark.tools.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.tools.agent.HealthCount.State;
import org.junit.jupiter.api.Test;

final class HealthCountTest {
  private final HealthCount health = new HealthCount(2, 3);

  @Test
  void firstResult_decidesAtOnce() {
    assertThat(health.state()).isEqualTo(State.UNCHECKED);
    assertThat(health.onPassed()).isTrue();
    assertThat(health.state()).isEqualTo(State.HEALTHY);
    HealthCount other = new HealthCount(2, 3);
    assertThat(other.onFailed()).isTrue();
    assertThat(other.state()).isEqualTo(State.UNHEALTHY);
  }

  @Test
  void healthy_failsOnlyAfterFallInARow() {
    health.onPassed();
    assertThat(health.onFailed()).isFalse();
    assertThat(health.onFailed()).isFalse();
    assertThat(health.onPassed()).isFalse();
    assertThat(health.onFailed()).isFalse();
    assertThat(health.onFailed()).isFalse();
    assertThat(health.state()).isEqualTo(State.HEALTHY);
    assertThat(health.onFailed()).isTrue();
    assertThat(health.state()).isEqualTo(State.UNHEALTHY);
    assertThat(health.onFailed()).isFalse();
  }

  @Test
  void unhealthy_returnsOnlyAfterRiseInARow() {
    health.onFailed();
    assertThat(health.onPassed()).isFalse();
    assertThat(health.onFailed()).isFalse();
    assertThat(health.onPassed()).isFalse();
    assertThat(health.onPassed()).isTrue();
    assertThat(health.state()).isEqualTo(State.HEALTHY);
  }

  @Test
  void notServing_isBelievedAtOnce() {
    health.onPassed();
    assertThat(health.onNotServing()).isTrue();
    assertThat(health.state()).isEqualTo(State.UNHEALTHY);
    assertThat(health.onNotServing()).isFalse();
    assertThat(health.onPassed()).isFalse();
    assertThat(health.onNotServing()).isFalse();
    assertThat(health.onPassed()).isFalse();
    assertThat(health.onPassed()).isTrue();
  }

  @Test
  void riseAndFallOfOne_followEveryResult() {
    HealthCount quick = new HealthCount(1, 1);
    assertThat(quick.onPassed()).isTrue();
    assertThat(quick.onFailed()).isTrue();
    assertThat(quick.onPassed()).isTrue();
  }
}
