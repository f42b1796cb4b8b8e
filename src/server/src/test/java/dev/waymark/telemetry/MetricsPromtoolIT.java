package dev.waymark.telemetry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetricsPromtoolIT {
  private static final Pattern RULES =
      Pattern.compile("```yaml\n(groups:\n.*?)```", Pattern.DOTALL);
  private static final Pattern NAME = Pattern.compile("\\b(?:waymark|process)_[a-z0-9_]+\\b");

  @Test
  void alerts_inOperationsMd_areValidRulesOverExistingMetrics(@TempDir Path folder)
      throws Exception {
    assumeTrue(hasPromtool(), "promtool does not run here: apt-get install prometheus");
    Matcher rules = RULES.matcher(Files.readString(Path.of("docs/operations.md")));
    assertThat(rules.find()).isTrue();
    Path file = Files.writeString(folder.resolve("alerts.yml"), rules.group(1));
    Process promtool =
        new ProcessBuilder("promtool", "check", "rules", file.toString())
            .redirectErrorStream(true)
            .start();
    assertThat(new String(promtool.getInputStream().readAllBytes(), UTF_8)).contains("SUCCESS");
    String metrics = Files.readString(Path.of("docs/metrics.md"));
    Matcher names = NAME.matcher(rules.group(1));
    while (names.find()) {
      assertThat(metrics)
          .contains("| `" + names.group().replaceFirst("_(bucket|sum|count)$", "") + "` |");
    }
  }

  @Test
  void promtool_checkMetrics_reportsNothing() throws Exception {
    assumeTrue(hasPromtool(), "promtool does not run here: apt-get install prometheus");
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
    String output = new String(promtool.getInputStream().readAllBytes(), UTF_8);
    assertThat(output).isEmpty();
    assertThat(promtool.waitFor()).isZero();
  }

  private static boolean hasPromtool() throws InterruptedException {
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
