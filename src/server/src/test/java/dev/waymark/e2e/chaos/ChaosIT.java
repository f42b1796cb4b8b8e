package dev.waymark.e2e.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Runs {@link Chaos} for 12 seconds; {@code misc/chaos/run.sh} runs it for longer. */
final class ChaosIT {
  /** Repeats a failed run: -Dwaymark.chaos.seed=… By default each run has a new seed. */
  private static final Long SEED = Long.getLong("waymark.chaos.seed");

  @Test
  void clients_duringUpstreamFaults_getEachReplyOnceAndInOrder() throws InterruptedException {
    Chaos chaos = new Chaos(System.out);
    chaos.seconds = 12;
    chaos.clients = 40;
    chaos.leakDetection = "paranoid";
    chaos.seed = SEED == null ? chaos.seed : SEED;
    Chaos.Result result = chaos.run();
    assertThat(result.tally().errors()).as("seed %d", chaos.seed).isEmpty();
    assertThat(result.tally().replies()).isPositive();
    assertThat(result.replayedBytes()).isPositive();
  }
}
