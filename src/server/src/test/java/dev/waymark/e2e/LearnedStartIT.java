package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the JVM learned is used: a cache that does not fit is passed over in silence, and all starts
 * are slow.
 */
final class LearnedStartIT {
  private static final String SHOW_CLASSES = "-Xlog:class+load";

  @BeforeAll
  static void built() {
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

  /** The JVM compares the jars with those that it learned from, by size and date. */
  @ParameterizedTest
  @ValueSource(strings = {"waymark-[0-9]", "waymark-protocol-", "picocli-"})
  void start_jarReplaced_runsTheNewOne(String jar, @TempDir Path temp) throws IOException {
    Path release = temp.resolve("release");
    try (Waymark copy =
            Waymark.program("cp", "-a", release().toString(), release.toString()).start();
        Stream<Path> jars = Files.list(release().resolve("lib"))) {
      assertThat(copy.exitCode()).as(copy.describe()).isZero();
      Path first =
          jars.filter(p -> p.getFileName().toString().matches(jar + ".*"))
              .findFirst()
              .orElseThrow();
      Path replaced = release.resolve("lib").resolve(first.getFileName());
      FileTime date = Files.getLastModifiedTime(replaced);
      Files.writeString(replaced, "padding", StandardOpenOption.APPEND);
      Files.setLastModifiedTime(replaced, date);
    }
    try (Waymark run = launcher(release, LearnedStart.HEAP).start()) {
      assertThat(run.exitCode()).as(run.describe()).isZero();
      assertThat(run.stdout()).contains("dev.waymark.cli.Main source: file:");
    }
  }

  private static Path release() {
    return LearnedStart.release().orElseThrow();
  }

  private static Waymark.Launch launcher(String heap) {
    return launcher(release(), heap);
  }

  private static Waymark.Launch launcher(Path release, String heap) {
    Path launcher = release.resolve("bin/waymark");
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
