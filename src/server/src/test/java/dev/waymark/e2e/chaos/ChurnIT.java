package dev.waymark.e2e.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** A minute of {@link Churn}; {@code misc/chaos/churn.sh} runs it for ten. */
final class ChurnIT {
  @Test
  void connections_comingAndGoing_leaveNothingBehind() throws InterruptedException {
    Churn churn = new Churn(System.out);
    churn.seconds = 50;
    assertThat(churn.run()).isEmpty();
  }
}
