package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Runs the tests of the scripts that record a release's figures and draw the chart. */
final class BenchScriptsIT {
  private static final int NOT_AVAILABLE = 69;

  @Test
  void benchmarkScripts_passTheirTests() {
    String script = Path.of("misc", "bench", "test.sh").toAbsolutePath().toString();
    try (Waymark tests = Waymark.program(script).start()) {
      int code = tests.exitCode();
      assumeTrue(code != NOT_AVAILABLE, tests.stdout());
      assertThat(code).as(tests.describe()).isZero();
      assertThat(tests.stderr()).containsPattern("Ran [1-9][0-9]+ tests");
    }
  }
}
