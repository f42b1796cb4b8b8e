package dev.waymark.upstreams;

import static dev.waymark.upstreams.UpstreamHealth.NOT_SERVING;
import static dev.waymark.upstreams.UpstreamHealth.SERVING;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class AnswerLimitTest {
  private static final long STEP_NS = 1_000_000;

  private final AnswerLimit limit = new AnswerLimit();
  private long nowNs = 1;

  @Test
  void changes_upToTheLimit_passInEachWindow() {
    for (int window = 0; window < 3; window++) {
      for (int i = 0; i < AnswerLimit.CHANGES_MAX; i++) {
        assertThat(limit.onAnswer(nowNs, i % 2 == 0 ? SERVING : NOT_SERVING)).isNull();
        nowNs += STEP_NS;
      }
      nowNs += AnswerLimit.WINDOW_NS;
    }
  }

  @Test
  void changes_overTheLimit_areRefused() {
    for (int i = 0; i < AnswerLimit.CHANGES_MAX; i++) {
      limit.onAnswer(nowNs += STEP_NS, i % 2 == 0 ? SERVING : NOT_SERVING);
    }
    assertThat(limit.onAnswer(nowNs, SERVING))
        .isEqualTo("the health service changed its status more than 10 times within 10 s");
  }

  @Test
  void repeatedAnswers_haveAHigherLimit() {
    for (int i = 0; i < AnswerLimit.ANSWERS_MAX; i++) {
      assertThat(limit.onAnswer(nowNs += STEP_NS, SERVING)).isNull();
    }
    assertThat(limit.onAnswer(nowNs, SERVING))
        .isEqualTo("the health service answered more than 1000 times within 10 s");
  }
}
