package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the JVM learned is used: a cache that does not fit is passed over in silence, and all starts
 * are slow.
 */
final class LearnedStartIT {
  private static final String SHOW_CLASSES = "-Xlog:class+load";

  @BeforeAll
  static void release() {
    assumeTrue(LearnedStart.isOfJar(), "no jar: an IDE's run, or a single goal's");
  }

  @Test
  void start_byTheLauncher_usesWhatItsTrainingLearned() {
    assertUsed(launcher(LearnedStart.HEAP));
  }

  /**
   * The cache has old objects: where the young generation takes the whole heap, the JVM ends
   * itself.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "-XX:+UseSerialGC -Xmx32m",
        "-XX:+UseSerialGC -Xmx8m",
        "-XX:MaxRAM=64m -XX:+UseSerialGC"
      })
  void start_byTheLauncherInASmallHeap_usesWhatItsTrainingLearned(String heap) {
    assertUsed(launcher(heap));
  }

  @Test
  void start_byATest_usesWhatWasLearned() {
    assertUsed(Waymark.command("--version").env("JDK_JAVA_OPTIONS", SHOW_CLASSES));
  }

  @Test
  void quickStart_byATest_usesWhatWasLearned() {
    assertUsed(Waymark.command("--version").quick().env("JDK_JAVA_OPTIONS", SHOW_CLASSES));
  }

  private static Waymark.Launch launcher(String heap) {
    Path launcher = LearnedStart.release().orElseThrow().resolve("bin/waymark");
    return Waymark.program(launcher.toString(), "--version")
        .env("WAYMARK_JAVA_HOME", System.getProperty("java.home"))
        .env("WAYMARK_JAVA_OPTS", heap + " " + SHOW_CLASSES);
  }

  private static void assertUsed(Waymark.Launch launch) {
    try (Waymark run = launch.start()) {
      assertThat(run.exitCode()).as(run.describe()).isZero();
      assertThat(run.stdout()).contains("dev.waymark.cli.Main source: shared objects file");
    }
  }
}
