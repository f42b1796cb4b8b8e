package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * A source tree with the launcher, next to a fake Maven and a fake Java that only record how they
 * were called.
 */
final class FakeTree {
  /**
   * Records each call and creates an archive as the real build would. A word in the POM changes
   * that: {@code broken} makes it fail, {@code silent} makes it fail without output, and {@code
   * slow} makes it wait for the file {@code go-on}.
   */
  private static final String MAVEN =
      """
      #!/bin/sh
      printf '\\033[0m\\033[0m'
      echo "$$ $*" >>mvn-calls
      if grep -q silent pom.xml; then exit 1; fi
      case " $* " in *' -q '*) ;; *) echo '[INFO] Scanning' ;; esac
      if grep -q broken pom.xml; then echo '\033[31m[ERROR]\033[0m broken pom'; exit 1; fi
      if grep -q slow pom.xml; then until [ -e go-on ]; do sleep 0.1; done; fi
      mkdir -p target/waymark-1/bin target/waymark-1/lib
      cp waymark target/waymark-1/bin/waymark
      echo jar >target/waymark-1/lib/waymark-1.jar
      tar -czf target/waymark-1.tar.gz -C target waymark-1
      """;

  private static final String JAVA =
      """
      #!/bin/sh
      echo "$$ descriptors $(ulimit -n) of $(ulimit -H -n)"
      grep SigIgn: /proc/$$/status
      echo "locale all=${LC_ALL:-} messages=${LC_MESSAGES:-} ctype=${LC_CTYPE:-}"
      for word; do
        echo "<$word>"
        case $word in -XX:AOTCacheOutput=*) : >"${word#*=}" && exit ;; esac
      done
      exit 7
      """;

  private final Path temp;
  private final Path tree;
  private final Path javaHome;

  FakeTree(Path temp) throws IOException {
    this.temp = temp;
    tree = Files.createDirectories(temp.resolve("a source tree"));
    javaHome = temp.resolve("a jdk");
    Files.createDirectories(tree.resolve("src/server/src/main"));
    Files.createDirectories(tree.resolve("proto"));
    Files.writeString(tree.resolve("pom.xml"), "<project/>");
    executable(tree.resolve("waymark"), Files.readString(Path.of("waymark")));
    Files.createDirectories(tree.resolve("misc"));
    Files.copy(Path.of("misc/build.sh"), tree.resolve("misc/build.sh"));
    executable(temp.resolve("bin/mvn"), MAVEN);
    executable(javaHome.resolve("bin/java"), JAVA);
    executable(javaHome.resolve("bin/javac"), JAVA);
    Files.writeString(javaHome.resolve("release"), "JAVA_VERSION=\"25.0.3\"\n");
  }

  /** Returns the folder of the launcher and the POM. */
  Path tree() {
    return tree;
  }

  Path javaHome() {
    return javaHome;
  }

  /** Runs the launcher, expects the exit code of the fake Java and returns standard error. */
  String run(Path launcher) {
    try (Waymark run = launch(launcher)) {
      assertThat(run.exitCode()).as(run.describe()).isEqualTo(7);
      return run.stderr();
    }
  }

  Waymark launch(Path launcher, String... args) {
    return launcher(launcher, args).start();
  }

  Waymark.Launch launcher(Path launcher, String... args) {
    String[] line = new String[args.length + 1];
    line[0] = launcher.toString();
    System.arraycopy(args, 0, line, 1, args.length);
    return Waymark.program(line)
        .in(temp)
        .env("PATH", temp.resolve("bin") + ":" + System.getenv("PATH"))
        .env("WAYMARK_JAVA_HOME", javaHome.toString());
  }

  static void executable(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }
}
