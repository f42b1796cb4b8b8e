package dev.waymark.engine.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.waymark.protocol.SizeLimits;
import org.junit.jupiter.api.Test;

class LimitsTest {
  @Test
  void defaults_matchTheProtocol() {
    assertThat(Limits.DEFAULTS.windowBytes()).isEqualTo(256 * 1024);
    assertThat(Limits.DEFAULTS.replyWindowBytes()).isEqualTo(256 * 1024);
    assertThat(Limits.DEFAULTS.initialWindowBytes()).isEqualTo(16 * 1024);
    assertThat(Limits.DEFAULTS.memoryBudgetBytes()).isEqualTo(128 * 1024 * 1024);
    assertThat(Limits.DEFAULTS.commitTimeoutNs()).isEqualTo(10_000_000_000L);
  }

  @Test
  void limits_contradicting_areRefused() {
    refused(10, 11, 1, 1, 2, 1, 2, 1, "initial window");
    refused(10, 0, 1, 1, 2, 1, 2, 1, "positive");
    refused(10, 10, 0, 1, 2, 1, 2, 1, "positive");
    refused(10, 10, 1, 2, 2, 1, 2, 1, "Ping");
    refused(10, 10, 1, 1, 2, 3, 2, 1, "back-off");
    refused(10, 10, 1, 1, 2, 1, 2, SizeLimits.BATCH_BYTES_MAX, "batch");
  }

  private static void refused(
      int window,
      int initial,
      int grant,
      long ping,
      long lane,
      long retryMin,
      long retryMax,
      int batch,
      String why) {
    assertThatThrownBy(() ->
            Limits.builder()
                .windowBytes(window)
                .initialWindowBytes(initial)
                .replyWindowBytes(grant)
                .replyQueueBytesMax(1)
                .memoryBudgetBytes(1)
                .batchBytesMax(batch)
                .laneQueueBytesMax(1)
                .settingsTimeoutNs(1)
                .commitTimeoutNs(1)
                .pingIntervalNs(ping)
                .laneTimeoutNs(lane)
                .laneRetry(new Backoff(retryMin, retryMax))
                .creditDelayNs(1)
                .lingerTimeoutNs(1)
                .pushWaitNs(1)
                .pushBytesMax(1)
                .bufferOverheadBytes(0)
                .build())
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(why);
  }
}
