package dev.waymark.e2e.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Runs {@link Churn} for 20 seconds; {@code misc/chaos/churn.sh} runs it for ten minutes. */
final class ChurnIT {
  @Test
  void connections_comingAndGoing_leaveNothingBehind() throws InterruptedException {
    Churn churn = new Churn(System.out);
    churn.seconds = 20;
    assertThat(churn.run()).isEmpty();
  }
}
