package dev.waymark.admin;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import org.junit.jupiter.api.Test;

class MetricsPromtoolIT {
  @Test
  void promtool_checkMetrics_hasNothingToSay() throws Exception {
    assumeTrue(isPromtoolHere(), "no promtool that runs: apt-get install prometheus");
    Metrics metrics = new Metrics();
    ProcessMetrics.register(metrics, "0.1");
    metrics
        .counter(
            "waymark_connections_closed_total",
            "Ended connections.",
            "listener",
            "a\"\\\nb",
            "reason",
            "done")
        .inc();
    Process promtool =
        new ProcessBuilder("promtool", "check", "metrics").redirectErrorStream(true).start();
    try (OutputStream in = promtool.getOutputStream()) {
      in.write(metrics.prometheusText());
    }
    String said = new String(promtool.getInputStream().readAllBytes(), UTF_8);
    assertThat(said).isEmpty();
    assertThat(promtool.waitFor()).isZero();
  }

  private static boolean isPromtoolHere() throws InterruptedException {
    try {
      return new ProcessBuilder("promtool", "--version")
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException none) {
      return false;
    }
  }
}
