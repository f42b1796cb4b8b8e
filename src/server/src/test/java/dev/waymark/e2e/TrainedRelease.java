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
 * The release as shipped, unpacked next to its archive, with the AOT cache that its {@code
 * bin/waymark train} creates (docs/performance.md, Start). Tests start hundreds of processes, and
 * the cache halves the time of each start. If the classes are in a folder, as in an IDE, processes
 * run with the test's class path instead. Thread-safe.
 */
final class TrainedRelease {
  /** Fixed: the maximum heap size decides how references are encoded, and so if a cache fits. */
  static final String HEAP = "-Xmx512m";

  private static final Duration TRAIN_TIMEOUT = Duration.ofMinutes(2);
  private static final TrainedRelease INSTANCE = new TrainedRelease();

  private static final String UNPACK_AND_TRAIN =
      """
      rm -rf "$2" && mkdir "$2" && tar -xzf "$1" -C "$2" --strip-components=1 &&
      exec "$2/bin/waymark" train
      """;

  private Optional<Path> release = Optional.empty();
  private boolean isTried;

  private TrainedRelease() {}

  /**
   * Returns the options of a JVM that runs the program, class path included. Trains the release
   * first if that has not been done.
   *
   * @throws IllegalStateException for the first caller, if training fails or there is no archive;
   *     later callers then get the options without a cache
   */
  static List<String> jvmOptions() {
    return release().map(TrainedRelease::withCache).orElseGet(TrainedRelease::withoutCache);
  }

  /** True if the classes under test are in a jar. Then a full build has also made a release. */
  static boolean isInJar() {
    return Files.isRegularFile(program());
  }

  /** Returns the folder of the trained release, if any. Throws like {@link #jvmOptions()}. */
  static Optional<Path> release() {
    return INSTANCE.trained();
  }

  private static List<String> withCache(Path release) {
    return List.of(
        "-cp",
        release.resolve("lib") + "/*",
        "@" + release.resolve("jvm.options"),
        HEAP,
        "-XX:AOTCache=" + release.resolve("start.aot"),
        "-Xlog:aot=off",
        "-Xlog:cds=off");
  }

  private static List<String> withoutCache() {
    return List.of(
        "-cp",
        programClassPath().collect(Collectors.joining(File.pathSeparator)),
        "@" + Path.of("misc", "jvm.options").toAbsolutePath(),
        HEAP);
  }

  /** Returns the test's class path without the test classes, whose resources would interfere. */
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
        release = isInJar() ? Optional.of(train(program())) : Optional.empty();
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
    // Each Java version needs its own cache.
    Path folder = archive.resolveSibling("tests-" + Runtime.version());
    Path cache = folder.resolve("start.aot");
    // Tests run in several processes; one of them trains.
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
