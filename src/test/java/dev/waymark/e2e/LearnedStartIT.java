package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

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
    Path launcher = LearnedStart.release().orElseThrow().resolve("bin/waymark");
    assertUsed(
        Waymark.program(launcher.toString(), "--version")
            .env("WAYMARK_JAVA_HOME", System.getProperty("java.home"))
            .env("WAYMARK_JAVA_OPTS", LearnedStart.HEAP + " " + SHOW_CLASSES));
  }

  @Test
  void start_byATest_usesWhatWasLearned() {
    assertUsed(Waymark.command("--version").env("JDK_JAVA_OPTIONS", SHOW_CLASSES));
  }

  @Test
  void quickStart_byATest_usesWhatWasLearned() {
    assertUsed(Waymark.command("--version").quick().env("JDK_JAVA_OPTIONS", SHOW_CLASSES));
  }

  @Test
  void start_cacheOfOtherJars_endsWithOneLine() {
    Path cache = LearnedStart.release().orElseThrow().resolve("start.aot");
    String namesIt = "-Dwaymark.cache=" + cache;
    try (Waymark run = Waymark.command("--version").env("JDK_JAVA_OPTIONS", namesIt).start()) {
      assertThat(run.exitCode()).as(run.describe()).isEqualTo(1);
      assertThat(run.stderr()).contains("waymark: " + cache + " was not learned from the jars");
      assertThat(run.stdout()).isEmpty();
    }
  }

  private static void assertUsed(Waymark.Launch launch) {
    try (Waymark run = launch.start()) {
      assertThat(run.exitCode()).as(run.describe()).isZero();
      assertThat(run.stdout()).contains("dev.waymark.cli.Main source: shared objects file");
    }
  }
}
