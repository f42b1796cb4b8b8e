package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class CommandLineIT {
  @Test
  void versionFlag_printsTheVersionAndExitsWithZero() {
    try (Waymark waymark = Waymark.start("--version")) {
      assertThat(waymark.awaitLine("waymark (\\S+) \\(Java (\\d+)\\)").group(2)).isNotEmpty();
      assertThat(waymark.exitCode()).isZero();
      assertThat(waymark.stderr()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"config show", "bridge --help"})
  void unwritableOutput_exitsWithOne(String command) {
    assumeTrue(Files.isWritable(Path.of("/dev/full")), "there is no /dev/full");
    try (Waymark waymark =
        Waymark.command(command.split(" ")).quick().outputTo(Path.of("/dev/full")).start()) {
      assertThat(waymark.exitCode()).isEqualTo(1);
    }
  }

  @Test
  void unknownFlag_exitsWithTwoAndNoStackTrace() {
    try (Waymark waymark = Waymark.start("--no-such-flag")) {
      assertThat(waymark.exitCode()).isEqualTo(2);
      assertThat(waymark.stderr()).contains("--no-such-flag").doesNotContain("\tat ");
    }
  }
}
