package dev.waymark.tools.demo;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class RequestCountTest {
  private final RequestCount count = new RequestCount();

  @Test
  void total_afterARestart_includesEarlierProcesses() {
    count.onStarted("first");
    count.onStats("first", "{\"opens\":3,\"requests\":10}");
    count.onStats("first", "{\"opens\":3,\"requests\":12}");
    assertThat(count.total()).isEqualTo(12);
    count.onStarted("second");
    assertThat(count.total()).isEqualTo(12);
    count.onStats("second", "{\"requests\":5}");
    assertThat(count.total()).isEqualTo(17);
  }

  @Test
  void stats_ofAnEarlierProcess_areIgnored() {
    count.onStarted("first");
    count.onStarted("second");
    count.onStats("first", "{\"requests\":10}");
    assertThat(count.total()).isZero();
  }
}
