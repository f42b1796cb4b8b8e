package dev.waymark.net.dial;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.net.dial.UpstreamProblem.Kind;
import org.junit.jupiter.api.Test;

class UpstreamProblemTest {
  @Test
  void text_ofAPeer_isShortened() {
    String problem = new UpstreamProblem(Kind.HEALTH_FAILED, "x".repeat(16_000)).text();

    assertThat(problem).hasSize(UpstreamProblem.TEXT_CHARS_MAX).startsWith("xxx").endsWith("…");
  }

  @Test
  void text_thatFits_isUnchanged() {
    String fits = "x".repeat(UpstreamProblem.TEXT_CHARS_MAX);

    assertThat(UpstreamProblem.shortened(fits)).isEqualTo(fits);
  }
}
