package dev.waymark.e2e;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
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
  private static final LearnedStart OF_ALL = new LearnedStart();

  private List<String> jvmOptions = List.of();
  private boolean isTried;

  private LearnedStart() {}

  /**
   * Options for a JVM with the program's class path; learned first where that has not been done.
   *
   * @throws IllegalStateException if that fails, for the first caller; the others go without
   */
  static List<String> jvmOptions() {
    return OF_ALL.options();
  }

  private synchronized List<String> options() {
    if (!isTried) {
      isTried = true;
      try {
        jvmOptions = learned(Waymark.programClassPath());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException(e);
      }
    }
    return jvmOptions;
  }

  private static List<String> learned(String classPath) throws IOException, InterruptedException {
    List<Path> entries = Stream.of(classPath.split(File.pathSeparator)).map(Path::of).toList();
    // It holds for jars alone: an IDE's folders of classes go without.
    if (entries.stream().anyMatch(Files::isDirectory)) {
      return List.of();
    }
    Path jar = entries.getFirst();
    // Of another Java is another one.
    Path cache = jar.resolveSibling("tests-" + Runtime.version() + ".aot");
    if (!Files.exists(cache)
        || Files.getLastModifiedTime(cache).compareTo(Files.getLastModifiedTime(jar)) <= 0) {
      train(classPath, cache);
    }
    return List.of("-XX:AOTCache=" + cache, "-Xlog:aot=off", "-Xlog:cds=off");
  }

  private static void train(String classPath, Path cache) throws IOException, InterruptedException {
    Path unfinished = cache.resolveSibling(cache.getFileName() + ".new");
    Path log = cache.resolveSibling("tests.aot.log");
    Files.deleteIfExists(unfinished);
    List<String> line = new ArrayList<>(Waymark.java(classPath));
    line.add("-XX:AOTCacheOutput=" + unfinished);
    line.addAll(List.of("dev.waymark.cli.Main", "train"));
    Process process =
        new ProcessBuilder(line).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    boolean isOver = process.waitFor(TRAIN_TIMEOUT_S, TimeUnit.SECONDS);
    process.destroyForcibly();
    if (!isOver || process.exitValue() != 0 || !Files.exists(unfinished)) {
      throw new IllegalStateException("waymark train failed; its output is in " + log);
    }
    Files.move(unfinished, cache, StandardCopyOption.ATOMIC_MOVE);
  }
}
