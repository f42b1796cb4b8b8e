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

/** The AOT cache is used. The JVM silently ignores one that does not fit, and starts are slow. */
final class AotCacheIT {
  private static final String SHOW_CLASSES = "-Xlog:class+load";

  @BeforeAll
  static void requireJar() {
    assumeTrue(TrainedRelease.isInJar(), "no jar: not a full Maven build");
  }

  @Test
  void start_byTheLauncher_usesTheCache() {
    assertUsed(launcher(TrainedRelease.HEAP));
  }

  /**
   * The cache holds objects of the old generation. If the young generation takes the whole heap,
   * the JVM exits at start.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "-XX:+UseSerialGC -Xmx32m",
        "-XX:+UseSerialGC -Xmx8m",
        "-XX:MaxRAM=64m -XX:+UseSerialGC"
      })
  void start_byTheLauncherInASmallHeap_usesTheCache(String heap) {
    assertUsed(launcher(heap));
  }

  @Test
  void start_byATest_usesTheCache() {
    assertUsed(Waymark.command("--version").env("JDK_JAVA_OPTIONS", SHOW_CLASSES));
  }

  @Test
  void quickStart_byATest_usesTheCache() {
    assertUsed(Waymark.command("--version").quick().env("JDK_JAVA_OPTIONS", SHOW_CLASSES));
  }

  /** The JVM compares the jars with those of the training by size and date. */
  @ParameterizedTest
  @ValueSource(strings = {"waymark-[0-9]", "waymark-protocol-", "picocli-"})
  void start_afterAJarWasReplaced_runsTheNewJar(String jar, @TempDir Path temp) throws IOException {
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
    try (Waymark run = launcher(release, TrainedRelease.HEAP).start()) {
      assertThat(run.exitCode()).as(run.describe()).isZero();
      assertThat(run.stdout()).contains("dev.waymark.cli.Main source: file:");
    }
  }

  private static Path release() {
    return TrainedRelease.release().orElseThrow();
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
