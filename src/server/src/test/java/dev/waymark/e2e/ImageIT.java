package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/**
 * Builds and runs the container image with misc/docker/check.sh. Skipped, for the reason that the
 * script gives, where that is not possible.
 */
final class ImageIT {
  private static final Duration BUILD_TIMEOUT = Duration.ofMinutes(3);

  private static final int NOT_AVAILABLE = 69;

  @Test
  void image_builtAndRun_echoesBytesAndStopsCleanly() {
    String script = Path.of("misc", "docker", "check.sh").toAbsolutePath().toString();
    try (Waymark check =
        Waymark.program(script).env("JAVA_HOME", System.getProperty("java.home")).start()) {
      int code = check.exitCode(BUILD_TIMEOUT);
      assumeTrue(code != NOT_AVAILABLE, check.stdout());
      assertThat(code).as(check.describe()).isZero();
      assertThat(check.stdout()).contains("bytes came back");
    }
  }
}
