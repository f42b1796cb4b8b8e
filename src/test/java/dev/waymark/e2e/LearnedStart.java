package dev.waymark.e2e;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * What the JVM learns of a start, as the launcher has it learned (docs/performance.md, Start): the
 * tests start hundreds of processes, and each costs half. Thread-safe.
 */
final class LearnedStart {
  private static final long TRAIN_TIMEOUT_S = 120;
  private static final List<String> OPTIONS = options();

  private LearnedStart() {}

  /** Options for a JVM with this class path; learned first where that has not been done. */
  static List<String> jvmOptions() {
    return OPTIONS;
  }

  private static List<String> options() {
    String classPath = Waymark.programClassPath();
    List<Path> entries = Stream.of(classPath.split(File.pathSeparator)).map(Path::of).toList();
    // It holds for jars alone: an IDE's folders of classes go without.
    if (entries.stream().anyMatch(Files::isDirectory)) {
      return List.of();
    }
    Path cache = entries.getFirst().resolveSibling("tests.aot");
    try {
      if (!isNewer(cache, entries.getFirst())) {
        train(classPath, cache);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
    return List.of("-XX:AOTCache=" + cache, "-Xlog:aot=off", "-Xlog:cds=off");
  }

  private static boolean isNewer(Path cache, Path jar) throws IOException {
    return Files.exists(cache)
        && Files.getLastModifiedTime(cache).compareTo(Files.getLastModifiedTime(jar)) > 0;
  }

  private static void train(String classPath, Path cache) throws IOException, InterruptedException {
    List<String> line = new ArrayList<>(Waymark.java(classPath));
    line.addAll(
        List.of(
            "-Xlog:aot=off",
            "-Xlog:cds=off",
            "-XX:AOTCacheOutput=" + cache,
            "dev.waymark.cli.Main",
            "train"));
    Process process =
        new ProcessBuilder(line)
            .redirectErrorStream(true)
            .redirectOutput(cache.resolveSibling("tests.aot.log").toFile())
            .start();
    if (!process.waitFor(TRAIN_TIMEOUT_S, TimeUnit.SECONDS) || process.exitValue() != 0) {
      process.destroyForcibly();
      throw new IllegalStateException("waymark train failed: " + cache + ".log tells more");
    }
  }
}
