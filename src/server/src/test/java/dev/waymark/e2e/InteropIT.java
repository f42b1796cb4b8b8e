package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The cheap part of misc/interop: what the other tests do not have. */
final class InteropIT {
  private static final int NOT_AVAILABLE = 69;

  @ParameterizedTest
  @ValueSource(strings = {"nginx", "haproxy"})
  void upstreamKilled_behindAProxy_costsNoByte(String proxy) {
    Path release = TrainedRelease.release().orElse(null);
    assumeTrue(release != null, "no release to run: the classes are not in a jar");
    String runner = Path.of("misc", "interop", "run.sh").toAbsolutePath().toString();
    try (Waymark run =
        Waymark.program(
                runner,
                "--scenarios=kill",
                "--seconds=0.3",
                "--port=" + Waymark.freePort(),
                "--waymark=" + release.resolve("bin").resolve("waymark"),
                proxy + "+java")
            .env("JAVA_HOME", System.getProperty("java.home"))
            .start()) {
      int code = run.exitCode();
      assumeTrue(code != NOT_AVAILABLE, run.stderr());
      assertThat(code).as(run.describe()).isZero();
      assertThat(run.stdout()).contains("| " + proxy + "+java | ok |");
    }
  }
}
