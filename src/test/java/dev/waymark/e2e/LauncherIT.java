package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The launcher against a Maven and a Java that only write down how they were called. */
final class LauncherIT {
  /**
   * Counts its calls and leaves an archive as the real build would; `broken` in the POM fails it.
   */
  private static final String MAVEN =
      """
      #!/bin/sh
      echo "$$ $*" >>mvn-calls
      if grep -q broken pom.xml; then echo '[INFO] Scanning'; echo '[ERROR] broken pom'; exit 1; fi
      echo '[INFO] --- maven-compiler-plugin:3.14.0:compile (default-compile) @ waymark ---'
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

  @TempDir Path temp;
  private Path tree;
  private Path javaHome;

  @BeforeEach
  void sourceTree() throws IOException {
    tree = Files.createDirectories(temp.resolve("a source tree"));
    javaHome = temp.resolve("a jdk");
    Files.createDirectories(tree.resolve("src/main"));
    Files.createDirectories(tree.resolve("proto"));
    Files.writeString(tree.resolve("pom.xml"), "<project/>");
    executable(tree.resolve("waymark"), Files.readString(Path.of("waymark")));
    executable(temp.resolve("bin/mvn"), MAVEN);
    executable(javaHome.resolve("bin/java"), JAVA);
    executable(javaHome.resolve("bin/javac"), JAVA);
    Files.writeString(javaHome.resolve("release"), "JAVA_VERSION=\"25.0.3\"\n");
  }

  @Test
  void run_freshTree_buildsAndBecomesJavaWithTheArguments() throws IOException {
    try (Waymark run = launch(tree.resolve("waymark"), "stub", "two words")) {
      assertThat(run.exitCode()).isEqualTo(7);
      assertThat(run.stderr()).isEqualTo(buildingLine());
      assertThat(run.stdout())
          .startsWith(run.pid() + " descriptors ")
          .contains("<dev.waymark.cli.Main>\n<stub>\n<two words>\n")
          .containsPattern("<@/.*/jvm\\.options>\n<-XX:MaxNewSize=\\d+m>\n");
      assertThat(run.awaitLine("descriptors (\\S+) of \\1$")).isNotNull();
      assertThat(buildCount()).isEqualTo(1);
    }
  }

  @Test
  void run_nothingNewer_doesNotBuildAgain() throws IOException {
    run(tree.resolve("waymark"));
    assertThat(run(tree.resolve("waymark"))).isEmpty();
    assertThat(buildCount()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"src/main/New.java", "src/assembly/release.xml"})
  void run_sourceNewerThanTheBuild_buildsAgainAndKeepsTheBuildBefore(String name)
      throws IOException {
    run(tree.resolve("waymark"));
    Files.createDirectories(tree.resolve(name).getParent());
    Path source = Files.writeString(tree.resolve(name), "new");
    Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(1)));
    assertThat(run(tree.resolve("waymark"))).isEqualTo(buildingLine());
    assertThat(buildCount()).isEqualTo(2);
    try (var builds = Files.newDirectoryStream(tree.resolve(".run"), "build-*")) {
      assertThat(builds).filteredOn(Files::isDirectory).hasSize(2);
    }
  }

  @Test
  void run_twoAtOnce_secondWaitsAndUsesTheBuildOfTheFirst() throws IOException {
    Files.writeString(tree.resolve("pom.xml"), "<project>slow</project>");
    try (Waymark first = launch(tree.resolve("waymark"))) {
      first.awaitLine("building");
      try (Waymark second = launch(tree.resolve("waymark"))) {
        second.awaitLine("another launcher is building; waiting");
        Files.createFile(tree.resolve("go-on"));
        assertThat(first.exitCode()).isEqualTo(7);
        assertThat(second.exitCode()).isEqualTo(7);
      }
    }
    assertThat(buildCount()).isEqualTo(1);
  }

  @Test
  void run_terminatedWhileItBuilds_endsAtOnceAndSoDoesMaven() throws IOException {
    Files.writeString(tree.resolve("pom.xml"), "<project>slow</project>");
    try (Waymark run = launch(tree.resolve("waymark"))) {
      Awaitility.await().until(() -> Files.exists(tree.resolve("mvn-calls")) && buildCount() == 1);
      assertThat(run.stop()).isEqualTo(143);
    }
    String call = Files.readString(tree.resolve("mvn-calls"));
    long maven = Long.parseLong(call.substring(0, call.indexOf(' ')));
    assertThat(ProcessHandle.of(maven)).as("Maven").isEmpty();
    assertNoBuilds();
  }

  @Test
  void run_buildThatTakesLong_saysWhereItStands() throws IOException {
    Files.writeString(tree.resolve("pom.xml"), "<project>slow</project>");
    String launcher = Files.readString(Path.of("waymark"));
    executable(
        tree.resolve("waymark"), launcher.replace("progress_seconds=30", "progress_seconds=1"));
    try (Waymark run = launch(tree.resolve("waymark"))) {
      run.awaitLine("waymark: building, for 0:0\\d, compiler:compile$");
      Files.createFile(tree.resolve("go-on"));
      assertThat(run.exitCode()).isEqualTo(7);
      assertThat(run.stderr()).doesNotContain("\u001b").doesNotContain("\r");
      assertThat(run.stdout()).startsWith(run.pid() + " descriptors ");
    }
  }

  @Test
  void run_trainingFails_saysSo() throws IOException {
    executable(javaHome.resolve("bin/java"), "#!/bin/sh\nexit 1\n");
    try (Waymark run = launch(tree.resolve("waymark"))) {
      assertThat(run.exitCode()).isOne();
      assertThat(run.stderr()).contains("that failed, see ", "starts take about twice as long");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"dash", "bash", "busybox sh"})
  void run_builtTreeOfAnother_runsOrSaysWhatToDo(String shell) throws IOException {
    assumeTrue(isThere(shell.split(" ")[0]), "no " + shell);
    run(tree.resolve("waymark"));
    try (Waymark run = asAnother(shell)) {
      assertThat(run.exitCode()).as(run.describe()).isEqualTo(7);
      assertThat(run.stderr()).isEmpty();
    }
    Path source = Files.writeString(tree.resolve("src/main/New.java"), "new");
    Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(1)));
    try (Waymark run = asAnother(shell)) {
      assertThat(run.exitCode()).isOne();
      assertThat(run.stderr())
          .contains("newer than its build", "cannot write to " + tree.toRealPath() + "/.run: start")
          .hasLineCount(1);
    }
    try (Waymark run = asAnother(shell, "train")) {
      assertThat(run.exitCode()).isOne();
      assertThat(run.stderr()).contains("cannot write to");
    }
  }

  @Test
  void run_freshTreeOfAnother_saysWhatToDo() throws IOException {
    try (Waymark run = asAnother("sh")) {
      assertThat(run.exitCode()).isOne();
      assertThat(run.stderr()).contains(" is not built, and ", "cannot write to").hasLineCount(1);
    }
  }

  @Test
  void run_builtTreeOnAReadOnlyMount_runsOrSaysWhatToDo() throws IOException {
    assumeTrue(isRoot() && isThere("unshare"), "needs root and unshare, for a mount of its own");
    run(tree.resolve("waymark"));
    try (Waymark run = onReadOnlyMount()) {
      assertThat(run.exitCode()).as(run.describe()).isEqualTo(7);
      assertThat(run.stderr()).isEmpty();
    }
    Path source = Files.writeString(tree.resolve("src/main/New.java"), "new");
    Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(1)));
    try (Waymark run = onReadOnlyMount()) {
      assertThat(run.exitCode()).isOne();
      assertThat(run.stderr()).contains("cannot write to").hasLineCount(1);
    }
    try (Waymark run = onReadOnlyMount("train")) {
      assertThat(run.exitCode()).isOne();
    }
  }

  @Test
  void train_withHelp_trainsNothing() throws IOException {
    Path release = release(Files.readString(Path.of("waymark")));
    try (Waymark run = launch(release.resolve("bin/waymark"), "train", "--help")) {
      assertThat(run.exitCode()).isEqualTo(7);
      assertThat(run.stdout()).contains("<train>\n<--help>\n").doesNotContain("AOTCacheOutput");
    }
  }

  @Test
  void run_brokenTree_showsWhatMavenSaidAndEndsWithOne() throws IOException {
    Files.writeString(tree.resolve("pom.xml"), "<project>broken</project>");
    try (Waymark run = launch(tree.resolve("waymark"))) {
      assertThat(run.exitCode()).isEqualTo(1);
      assertThat(run.stderr())
          .contains("[ERROR] broken pom")
          .contains("the build failed")
          .doesNotContain("[INFO]");
      assertThat(run.stdout()).isEmpty();
    }
    assertNoBuilds();
  }

  @Test
  void run_throughALinkFromElsewhere_findsItsTree() throws IOException {
    Path link = Files.createSymbolicLink(temp.resolve("link"), Path.of("a source tree/waymark"));
    assertThat(run(link)).isEqualTo(buildingLine());
  }

  @Test
  void run_asAnArgumentOfTheShell_findsItsTree() throws IOException {
    Files.copy(tree.resolve("waymark"), temp.resolve("waymark"));
    Files.writeString(temp.resolve("pom.xml"), "<project/>");
    try (Waymark run = launch(Path.of("sh"), "waymark")) {
      assertThat(run.exitCode()).as(run.describe()).isEqualTo(7);
    }
  }

  @Test
  void run_unpackedRelease_startsWithoutABuild() throws IOException {
    Path release = release(Files.readString(Path.of("waymark")));
    try (Waymark run = launch(release.resolve("bin/waymark"))) {
      assertThat(run.exitCode()).isEqualTo(7);
      assertThat(run.stderr()).isEmpty();
      assertThat(run.stdout())
          .contains(
              "<"
                  + release.toRealPath()
                  + "/lib/*>\n<-Djava.library.path="
                  + release.toRealPath()
                  + "/native>\n<@"
                  + release.toRealPath()
                  + "/jvm.options>\n");
    }
  }

  /** Limits are of cgroups, from the root of all: of 512 MiB, a tenth of which is 51. */
  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          a large machine                  |  2 | 24684084 | 0::/           |                           | 32
          many cores, little memory        | 64 |  2097152 | 0::/           |                           | 204
          its cgroup's limit               | 64 | 24684084 | 0::/a/b        | a/b/memory.max=536870912  | 51
          a limit above its cgroup         | 64 | 24684084 | 0::/a/b        | a/memory.max=536870912 a/b/memory.max=max | 51
          a limit above a higher one       | 64 | 24684084 | 0::/a/b        | a/memory.max=536870912 a/b/memory.max=1073741824 | 51
          a container                      | 64 | 24684084 | 0::/           | memory.max=536870912      | 51
          a limit beyond the machine       | 64 |  2097152 | 0::/           | memory.max=99999999999999 | 204
          no limit                         |  2 | 24684084 | 0::/a          | a/memory.max=max          | 32
          its cgroup's limit, version 1    | 64 | 24684084 | 3:cpu:/c 4:memory:/a/b 0::/ | memory/a/b/memory.limit_in_bytes=536870912 | 51
          a limit above it, version 1      | 64 | 24684084 | 4:hugetlb,memory:/a/b 0::/  | memory/a/memory.limit_in_bytes=536870912   | 51
          a container, version 1           | 64 | 24684084 | 4:memory:/host/b | memory/memory.limit_in_bytes=536870912 | 51
          no limit, version 1              |  2 | 24684084 | 4:memory:/     | memory/memory.limit_in_bytes=9223372036854771712 | 32
          a system without /proc           | 64 |          |                |                           | 1024
          """)
  void run_coresAndMemory_boundTheYoungGeneration(
      String where, int cores, String memoryKib, String cgroups, String limits, int boundMib)
      throws IOException {
    Path machine = machine(cores, memoryKib, cgroups, limits);
    String launcher =
        Files.readString(Path.of("waymark"))
            .replace("/proc/", machine + "/proc/")
            .replace("/sys/fs/cgroup", machine + "/cgroup");
    try (Waymark run = launch(release(launcher).resolve("bin/waymark"))) {
      assertThat(run.exitCode()).isEqualTo(7);
      assertThat(run.stderr()).isEmpty();
      assertThat(run.stdout())
          .contains("<-XX:MaxNewSize=" + boundMib + "m>\n<-XX:G1HeapRegionSize=1m>\n");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-Xmx32m",
        "-Xms32m",
        "-Xmn8m",
        "-XX:MaxHeapSize=32m",
        "-XX:NewSize=8m",
        "-XX:NewRatio=3",
        "-XX:MaxRAM=512m",
        "-XX:MaxRAMPercentage=60",
        "-Da=b -XX:+UseSerialGC"
      })
  void run_heapOrCollectorChosen_leavesTheYoungGenerationAlone(String options) throws IOException {
    assertThat(options("WAYMARK_JAVA_OPTS", options))
        .endsWith("/jvm.options>\n<" + options.replace(" ", ">\n<") + ">\n");
    assertThat(options("JDK_JAVA_OPTIONS", options)).endsWith("/jvm.options>\n");
  }

  @Test
  void run_otherOptions_boundTheYoungGenerationToo() throws IOException {
    assertThat(options("WAYMARK_JAVA_OPTS", "-Xlog:gc -XX:MaxGCPauseMillis=50"))
        .containsPattern("<-XX:MaxNewSize=\\d+m>\n<-XX:G1HeapRegionSize=1m>\n<-Xlog:gc>\n");
  }

  @Test
  void run_trainedRelease_usesWhatWasLearnedUntilAJarIsReplaced() throws IOException {
    Path release = temp.resolve("a release");
    Path jar = Files.createDirectories(release.resolve("lib")).resolve("a.jar");
    Files.writeString(jar, "jar");
    executable(release.resolve("bin/waymark"), Files.readString(Path.of("waymark")));
    try (Waymark training = launch(release.resolve("bin/waymark"), "train")) {
      assertThat(training.exitCode()).as(training.describe()).isZero();
    }
    assertThat(optionsOf(release)).contains("<-XX:AOTCache=");
    Files.writeString(jar, "patched jar");
    try (Waymark run = launch(release.resolve("bin/waymark"))) {
      assertThat(run.exitCode()).isEqualTo(7);
      assertThat(run.stdout()).doesNotContain("<-XX:AOTCache=");
      assertThat(run.stderr()).contains("starts slowly", "was learned from other jars", " train\n");
    }
  }

  @ParameterizedTest
  @CsvSource({"bridge, 1", "stub, 0"})
  void run_aBridge_startsJavaWithHangupIgnored(String command, int hangup) throws IOException {
    assumeTrue(Files.exists(Path.of("/proc/self/status")), "no /proc");
    Path release = release(Files.readString(Path.of("waymark")));
    try (Waymark run = launch(release.resolve("bin/waymark"), command)) {
      assertThat(run.exitCode()).isEqualTo(7);
      String ignored = run.awaitLine("SigIgn:\\s*([0-9a-f]+)").group(1);
      assertThat(Long.parseLong(ignored, 16) & 1).isEqualTo(hangup);
    }
  }

  @Test
  void run_onAHostWithALanguage_hasErrorsInEnglishAndFileNamesAsTheyWere() throws IOException {
    Path launcher = release(Files.readString(Path.of("waymark"))).resolve("bin/waymark");
    try (Waymark run = launcher(launcher).env("LC_ALL", "de_DE.UTF-8").start()) {
      assertThat(run.exitCode()).isEqualTo(7);
      assertThat(run.stdout()).contains("locale all= messages=C ctype=de_DE.UTF-8\n");
    }
  }

  @Test
  void run_javaTooOld_saysWhatIsNeeded() throws IOException {
    Files.writeString(javaHome.resolve("release"), "JAVA_VERSION=\"1.8.0_402\"\n");
    try (Waymark run = launch(tree.resolve("waymark"))) {
      assertThat(run.exitCode()).isEqualTo(1);
      assertThat(run.stderr()).contains(javaHome.toString()).contains("not a Java 25 or later");
    }
  }

  private String run(Path launcher) {
    try (Waymark run = launch(launcher)) {
      assertThat(run.exitCode()).as(run.describe()).isEqualTo(7);
      return run.stderr();
    }
  }

  /** Java's words up to the program's name, with options in this variable. */
  private String options(String variable, String value) throws IOException {
    Path release = release(Files.readString(Path.of("waymark")));
    try (Waymark run = launcher(release.resolve("bin/waymark")).env(variable, value).start()) {
      assertThat(run.exitCode()).as(run.describe()).isEqualTo(7);
      return run.stdout().substring(0, run.stdout().indexOf("<dev.waymark.cli.Main>"));
    }
  }

  private String optionsOf(Path release) {
    try (Waymark run = launch(release.resolve("bin/waymark"))) {
      assertThat(run.exitCode()).as(run.describe()).isEqualTo(7);
      return run.stdout();
    }
  }

  /** As a user who may read the tree and not write to it. */
  private Waymark asAnother(String shell, String... args) throws IOException {
    var read = PosixFilePermissions.fromString("rwxr-xr-x");
    Files.setPosixFilePermissions(temp, read);
    List<String> line = new ArrayList<>();
    if (isRoot()) {
      assumeTrue(isThere("setpriv"), "no setpriv, to become another user");
      line.addAll(List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"));
    } else {
      Files.setPosixFilePermissions(tree, PosixFilePermissions.fromString("r-xr-xr-x"));
      if (Files.exists(tree.resolve(".run"))) {
        assertThat(program("chmod", "-R", "a-w", tree.resolve(".run").toString())).isZero();
      }
    }
    line.addAll(List.of(shell.split(" ")));
    line.add(tree.resolve("waymark").toString());
    line.addAll(List.of(args));
    return launcher(Path.of(line.removeFirst()), line.toArray(String[]::new)).start();
  }

  private Waymark onReadOnlyMount(String... args) {
    List<String> line = new ArrayList<>();
    String mount =
        "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" && exec \"$0/waymark\" \"$@\"";
    line.addAll(List.of("-m", "sh", "-c", mount, tree.toString()));
    line.addAll(List.of(args));
    return launcher(Path.of("unshare"), line.toArray(String[]::new)).start();
  }

  private static boolean isRoot() {
    return "root".equals(System.getProperty("user.name"));
  }

  private static boolean isThere(String program) {
    return Stream.of(System.getenv("PATH").split(":"))
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
  }

  private static int program(String... line) {
    try (Waymark run = Waymark.program(line).start()) {
      return run.exitCode();
    }
  }

  private Waymark launch(Path launcher, String... args) {
    return launcher(launcher, args).start();
  }

  private Waymark.Launch launcher(Path launcher, String... args) {
    String[] line = new String[args.length + 1];
    line[0] = launcher.toString();
    System.arraycopy(args, 0, line, 1, args.length);
    return Waymark.program(line)
        .in(temp)
        .env("PATH", temp.resolve("bin") + ":" + System.getenv("PATH"))
        .env("WAYMARK_JAVA_HOME", javaHome.toString());
  }

  private Path release(String launcher) throws IOException {
    Path release = temp.resolve("a release");
    Files.createDirectories(release.resolve("lib"));
    executable(release.resolve("bin/waymark"), launcher);
    return release;
  }

  /** What the launcher reads of a machine, in a folder; null for what there is not. */
  private Path machine(int cores, String memoryKib, String cgroups, String limits)
      throws IOException {
    Path machine = Files.createDirectories(temp.resolve("machine"));
    executable(temp.resolve("bin/getconf"), "#!/bin/sh\necho " + cores + "\n");
    if (memoryKib != null) {
      Files.createDirectories(machine.resolve("proc/self"));
      Files.writeString(
          machine.resolve("proc/meminfo"), "MemTotal:  " + memoryKib + " kB\nMemFree:  1 kB\n");
      Files.writeString(machine.resolve("proc/self/cgroup"), cgroups.replace(' ', '\n') + "\n");
    }
    for (String limit : limits == null ? new String[0] : limits.split(" ")) {
      Path file = machine.resolve("cgroup").resolve(limit.substring(0, limit.indexOf('=')));
      Files.createDirectories(file.getParent());
      Files.writeString(file, limit.substring(limit.indexOf('=') + 1) + "\n");
    }
    return machine;
  }

  private String buildingLine() throws IOException {
    return "waymark: building "
        + tree.toRealPath()
        + " (mvn package without tests): about a minute; where Maven has to download libraries and plugins first, 2 to 10 ...\n"
        + "waymark: built; running it for some 10 s more, so that Java learns to start it faster ...\n";
  }

  private void assertNoBuilds() throws IOException {
    try (var builds = Files.newDirectoryStream(tree.resolve(".run"), "build-*")) {
      assertThat(builds).as("no half builds").noneMatch(Files::isDirectory);
    }
  }

  private int buildCount() throws IOException {
    return Files.readAllLines(tree.resolve("mvn-calls")).size();
  }

  private static void executable(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }
}
