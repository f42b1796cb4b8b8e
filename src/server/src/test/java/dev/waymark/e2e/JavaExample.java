package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A copy of misc/examples/java in {@code target}, as a user would make it, built by Maven against
 * the SDK's jars and poms. These are in a separate local repository, as {@code mvn install} would
 * leave them; everything else comes from the user's local repository, or else from Maven Central.
 */
final class JavaExample {
  private static final Path SOURCES = Path.of("misc", "examples", "java");
  private static final Path FOLDER = Path.of("target", "java-example").toAbsolutePath();
  private static final Pattern VERSION =
      Pattern.compile("<artifactId>waymark-parent</artifactId>\\s*<version>([^<]+)</version>");

  private static final String SETTINGS =
      """
      <settings>
        <profiles><profile><id>user</id>
          <repositories>%1$s</repositories>
          <pluginRepositories>%2$s</pluginRepositories>
        </profile></profiles>
        <activeProfiles><activeProfile>user</activeProfile></activeProfiles>
      </settings>
      """;
  private static final String REPOSITORY =
      "<%1$s><id>user</id><url>%2$s</url>"
          + "<releases><checksumPolicy>ignore</checksumPolicy></releases>"
          + "<snapshots><enabled>false</enabled></snapshots></%1$s>";

  private JavaExample() {}

  /**
   * Creates or updates the copy. Skips the test if there is no Maven or if the SDK's jars were not
   * built.
   */
  static void prepare() {
    assumeTrue(Waymark.isOnPath("mvn"), "no mvn on the path");
    try {
      copy(SOURCES, project());
      install("waymark-parent", Path.of("pom.xml"), null);
      for (String module : List.of("protocol", "upstream")) {
        install("waymark-" + module, Path.of("src", module, "pom.xml"), jar(module));
        deleteIfOlderThan(jar(module));
      }
      Files.writeString(FOLDER.resolve("settings.xml"), settings());
      Files.writeString(
          maven(),
          "#!/bin/sh\nexport MAVEN_OPTS='-XX:TieredStopAtLevel=1 -XX:+UseSerialGC'\nexec mvn -ntp -s '%1$s/settings.xml' '-Dmaven.repo.local=%1$s/repository' \"$@\"\n"
              .formatted(FOLDER));
      assertThat(maven().toFile().setExecutable(true)).isTrue();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Returns the folder of the copy. */
  static Path project() {
    return FOLDER.resolve("project");
  }

  /** Returns a Maven command, for scripts, that finds the SDK. */
  static Path maven() {
    return FOLDER.resolve("mvn");
  }

  /** Returns a JDK 17 if this machine has one, else the Java that runs the test. */
  static Path javaHome() {
    Path usual = Path.of("/usr/lib/jvm");
    if (Files.isDirectory(usual)) {
      try (Stream<Path> homes = Files.list(usual)) {
        return homes
            .filter(home -> home.getFileName().toString().contains("-17-"))
            .filter(home -> Files.isExecutable(home.resolve("bin/javac")))
            .sorted()
            .findFirst()
            .orElse(Path.of(System.getProperty("java.home")));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return Path.of(System.getProperty("java.home"));
  }

  /** Returns the version of the SDK. */
  static String version() throws IOException {
    Matcher version = VERSION.matcher(Files.readString(Path.of("pom.xml")));
    assertThat(version.find()).isTrue();
    return version.group(1);
  }

  private static Path jar(String module) throws IOException {
    Path jar = Path.of("src", module, "target", "waymark-" + module + "-" + version() + ".jar");
    assumeTrue(Files.exists(jar), () -> "no " + jar + ": run mvn package");
    return jar;
  }

  private static void install(String artifact, Path pom, @Nullable Path jar) throws IOException {
    Path place =
        Files.createDirectories(
            FOLDER.resolve("repository/dev/waymark").resolve(artifact).resolve(version()));
    String name = artifact + "-" + version();
    replace(pom, place.resolve(name + ".pom"));
    if (jar != null) {
      replace(jar, place.resolve(name + ".jar"));
    }
  }

  /** Deletes an example that was built with an older SDK, so that it is built again. */
  private static void deleteIfOlderThan(Path jar) throws IOException {
    Path built = project().resolve("target/echo-upstream.jar");
    if (Files.exists(built)
        && Files.getLastModifiedTime(built).compareTo(Files.getLastModifiedTime(jar)) < 0) {
      Files.delete(built);
    }
  }

  private static String settings() {
    String local =
        System.getProperty(
            "maven.repo.local",
            Path.of(System.getProperty("user.home"), ".m2/repository").toString());
    String url = Path.of(local).toUri().toString();
    return SETTINGS.formatted(
        REPOSITORY.formatted("repository", url), REPOSITORY.formatted("pluginRepository", url));
  }

  private static void copy(Path from, Path to) throws IOException {
    Files.walkFileTree(
        from,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes unused) {
            return folder.endsWith("target")
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes unused)
              throws IOException {
            Path copy = to.resolve(from.relativize(file));
            Files.createDirectories(copy.getParent());
            replace(file, copy);
            return FileVisitResult.CONTINUE;
          }
        });
  }

  /** Copies a file with its modification time, so that nothing is rebuilt without need. */
  private static void replace(Path from, Path to) throws IOException {
    Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.COPY_ATTRIBUTES);
  }
}
