package dev.waymark.tools.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class ProgramTest {
  @Test
  void options_specificToOneProcess_areNotInherited() {
    List<String> shared =
        List.of(
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-XX:AOTCache=start.aot",
            "-Xlog:aot=off",
            "-Dio.netty.leakDetection.level=paranoid");
    List<String> own =
        List.of(
            "-XX:+UseZGC",
            "-Xms1g",
            "-Xlog:gc:file=gc.log",
            "-agentlib:jdwp=transport=dt_socket,server=y,address=5005",
            "-XX:AOTCacheOutput=start.aot",
            "-XX:StartFlightRecording=filename=a.jfr");
    assertThat(Program.inherited(Stream.concat(shared.stream(), own.stream()).toList()))
        .isEqualTo(shared);
  }

  @Test
  void awaitReady_programEnding_failsWithItsOutput() {
    try (Children children = new Children()) {
      Program program =
          Program.start(children, Pattern.compile("ready"), List.of(), List.of("--version"));
      assertThatThrownBy(program::awaitReady)
          .isInstanceOf(DemoException.class)
          .hasMessageContaining("ended before it was ready; its last lines:\nwaymark ");
    }
  }
}
