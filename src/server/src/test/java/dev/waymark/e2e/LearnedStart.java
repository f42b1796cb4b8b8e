package dev.waymark.e2e;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The release as it ships, unpacked beside its archive, and what its {@code bin/waymark train} had
 * the JVM learn (docs/performance.md, Start): the tests start hundreds of processes, and each costs
 * half. Where the classes are in a folder, as in an IDE, the test's own class path. Thread-safe.
 */
final class LearnedStart {
  /** How large a heap may be decides how references look, and so whether a cache fits. */
  static final String HEAP = "-Xmx512m";

  private static final Duration TRAIN_TIMEOUT = Duration.ofMinutes(2);
  private static final LearnedStart OF_ALL = new LearnedStart();

  private static final String UNPACK_AND_TRAIN =
      """
      rm -rf "$2" && mkdir "$2" && tar -xzf "$1" -C "$2" --strip-components=1 &&
      exec "$2/bin/waymark" train
      """;

  private Optional<Path> release = Optional.empty();
  private boolean isTried;

  private LearnedStart() {}

  /**
   * The options of a JVM that is to run the program, class path included; learned first where that
   * has not been done.
   *
   * @throws IllegalStateException if that fails or there is no archive beside the jar, for the
   *     first caller; the others go without
   */
  static List<String> jvmOptions() {
    return release().map(LearnedStart::learned).orElseGet(LearnedStart::plain);
  }

  /** True if the classes under test come as a jar, from a whole build: then there is a release. */
  static boolean isOfJar() {
    return Files.isRegularFile(program());
  }

  /** Where the release is, trained; empty without a jar. Throws as {@link #jvmOptions()}. */
  static Optional<Path> release() {
    return OF_ALL.trained();
  }

  private static List<String> learned(Path release) {
    return List.of(
        "-cp",
        release.resolve("lib") + "/*",
        "@" + release.resolve("jvm.options"),
        HEAP,
        "-XX:AOTCache=" + release.resolve("start.aot"),
        "-Xlog:aot=off",
        "-Xlog:cds=off");
  }

  private static List<String> plain() {
    return List.of(
        "-cp",
        programClassPath().collect(Collectors.joining(File.pathSeparator)),
        "@" + Path.of("misc", "jvm.options").toAbsolutePath(),
        HEAP);
  }

  /** The test's own without the test classes, whose resources are not the program's. */
  private static Stream<String> programClassPath() {
    return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
        .filter(entry -> !entry.endsWith("test-classes"));
  }

  private static Path program() {
    return Path.of(programClassPath().findFirst().orElseThrow());
  }

  private synchronized Optional<Path> trained() {
    if (!isTried) {
      isTried = true;
      try {
        release = isOfJar() ? Optional.of(train(program())) : Optional.empty();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return release;
  }

  private static Path train(Path jar) throws IOException {
    Path archive = Path.of("target", jar.getFileName().toString().replace(".jar", ".tar.gz"));
    if (!Files.exists(archive)) {
      throw new IllegalStateException("no " + archive + ": run mvn package");
    }
    // Of another Java is another one.
    Path folder = archive.resolveSibling("tests-" + Runtime.version());
    Path cache = folder.resolve("start.aot");
    // Tests run in several processes, of which one trains.
    try (FileChannel file = FileChannel.open(Path.of(folder + ".lock"), CREATE, WRITE);
        FileLock _ = file.lock()) {
      if (!Files.exists(cache)
          || Files.getLastModifiedTime(cache).compareTo(Files.getLastModifiedTime(archive)) <= 0) {
        unpackAndTrain(archive, folder);
      }
    }
    return folder;
  }

  private static void unpackAndTrain(Path archive, Path folder) {
    try (Waymark training =
        Waymark.program("sh", "-c", UNPACK_AND_TRAIN, "sh", archive.toString(), folder.toString())
            .env("WAYMARK_JAVA_HOME", System.getProperty("java.home"))
            .env("JDK_JAVA_OPTIONS", HEAP)
            .start()) {
      if (training.exitCode(TRAIN_TIMEOUT) != 0) {
        throw new IllegalStateException("waymark train failed: " + training.describe());
      }
    }
  }
}
