package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class CommandLineIT {
  @Test
  void version_ofTheProgram_isPrintedWithCodeZero() {
    try (Waymark waymark = Waymark.start("--version")) {
      assertThat(waymark.awaitLine("waymark (\\S+) \\(Java (\\d+)\\)").group(2)).isNotEmpty();
      assertThat(waymark.exitCode()).isZero();
      assertThat(waymark.stderr()).isEmpty();
    }
  }

  @Test
  void unknownFlag_isRefusedWithCodeTwoAndNoStackTrace() {
    try (Waymark waymark = Waymark.start("--no-such-flag")) {
      assertThat(waymark.exitCode()).isEqualTo(2);
      assertThat(waymark.stderr()).contains("--no-such-flag").doesNotContain("\tat ");
    }
  }
}
