package dev.waymark.cli;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Which jars the JVM's cache was learned from: their names and sizes, in a file beside it. The JVM
 * does not look (25.0.3): with a jar replaced it runs the old classes out of the cache. The
 * launcher looks itself and starts without the cache; an image has none, so there the command line
 * names the cache in a property, and Waymark looks before anything else
 * (docs/decisions/0022-aot-cache.md).
 */
final class LearnedJars {
  private static final String CACHE_PROPERTY = "waymark.cache";

  private final Path cache;
  private final Path list;
  private final Set<String> jars;

  LearnedJars(Path cache, String classPath) {
    this.cache = cache;
    this.list = cache.resolveSibling("start.jars");
    this.jars = new TreeSet<>();
    for (String name : classPath.split(File.pathSeparator)) {
      jars.add(name + ", " + new File(name).length() + " bytes");
    }
  }

  /** Of the cache and the class path that this process was started with; empty without a cache. */
  static Optional<LearnedJars> ofProcess() {
    String cache = System.getProperty(CACHE_PROPERTY);
    return cache == null
        ? Optional.empty()
        : Optional.of(new LearnedJars(Path.of(cache), System.getProperty("java.class.path")));
  }

  /**
   * For the cache that is about to be learned: writes down the jars. One that is there goes first,
   * so that none is taken for what this training learned if it fails.
   */
  void writeDown() throws IOException {
    Files.deleteIfExists(cache);
    Files.write(list, jars);
  }

  /** One line for the user, if there is a cache, and of other jars than these. */
  Optional<String> refusal() {
    if (!Files.exists(cache)) {
      return Optional.empty();
    }
    Set<String> learned = learned();
    return jars.equals(learned) ? Optional.empty() : Optional.of(refusal(learned));
  }

  private String refusal(Set<String> learned) {
    String difference =
        Stream.concat(
                jars.stream().filter(jar -> !learned.contains(jar)),
                learned.stream().filter(jar -> !jars.contains(jar)))
            .findFirst()
            .orElseThrow();
    return cache
        + " was not learned from the jars that are here (first difference: "
        + difference
        + "), and Java would run what it holds in place of them: train again or remove it"
        + " (docs/operations.md, Images).";
  }

  private Set<String> learned() {
    try {
      return new TreeSet<>(Files.readAllLines(list));
    } catch (IOException none) {
      return Set.of();
    }
  }
}
