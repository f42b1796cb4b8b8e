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
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The launcher in a source tree, whose Maven and Java only write down how they were called. */
final class LauncherBuildIT {
  @TempDir Path temp;
  private FakeTree fake;
  private Path tree;
  private Path javaHome;

  @BeforeEach
  void sourceTree() throws IOException {
    fake = new FakeTree(temp);
    tree = fake.tree();
    javaHome = fake.javaHome();
  }

  @Test
  void run_freshTree_buildsAndBecomesJavaWithTheArguments() throws IOException {
    try (Waymark run = fake.launch(tree.resolve("waymark"), "stub", "two words")) {
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
  void run_archiveOfAnotherVersionInTheTree_runsTheNewOne() throws IOException {
    Path target = Files.createDirectories(tree.resolve("target"));
    Path old = Files.writeString(target.resolve("waymark-0.tar.gz"), "not an archive");
    Files.setLastModifiedTime(old, FileTime.from(Instant.now().minusSeconds(60)));
    assertThat(fake.run(tree.resolve("waymark"))).isEqualTo(buildingLine());
  }

  @Test
  void run_nothingNewer_doesNotBuildAgain() throws IOException {
    fake.run(tree.resolve("waymark"));
    assertThat(fake.run(tree.resolve("waymark"))).isEmpty();
    assertThat(buildCount()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"src/server/src/main/New.java", "src/server/src/assembly/release.xml"})
  void run_sourceNewerThanTheBuild_buildsAgainAndKeepsTheBuildBefore(String name)
      throws IOException {
    fake.run(tree.resolve("waymark"));
    Files.createDirectories(tree.resolve(name).getParent());
    Path source = Files.writeString(tree.resolve(name), "new");
    Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(1)));
    assertThat(fake.run(tree.resolve("waymark"))).isEqualTo(buildingLine());
    assertThat(buildCount()).isEqualTo(2);
    try (var builds = Files.newDirectoryStream(tree.resolve(".run"), "build-*")) {
      assertThat(builds).filteredOn(Files::isDirectory).hasSize(2);
    }
  }

  @Test
  void run_twoAtOnce_secondWaitsAndUsesTheBuildOfTheFirst() throws IOException {
    Files.writeString(tree.resolve("pom.xml"), "<project>slow</project>");
    try (Waymark first = fake.launch(tree.resolve("waymark"))) {
      first.awaitLine("building");
      try (Waymark second = fake.launch(tree.resolve("waymark"))) {
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
    try (Waymark run = fake.launch(tree.resolve("waymark"))) {
      Awaitility.await().until(() -> Files.exists(tree.resolve("mvn-calls")) && buildCount() == 1);
      assertThat(run.stop()).isEqualTo(143);
    }
    assertThat(ProcessHandle.of(mavenProcess())).as("Maven").isEmpty();
    assertNoBuilds();
  }

  @Test
  void run_trainingFails_saysSo() throws IOException {
    FakeTree.executable(javaHome.resolve("bin/java"), "#!/bin/sh\nexit 1\n");
    try (Waymark run = fake.launch(tree.resolve("waymark"))) {
      assertThat(run.exitCode()).isOne();
      assertThat(run.stderr())
          .contains("starts will take twice as long", "the training failed: see ", "/train.log");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"dash", "bash", "busybox sh"})
  void run_builtTreeOfAnother_runsOrSaysWhatToDo(String shell) throws IOException {
    assumeTrue(FakeTree.isThere(shell.split(" ")[0]), "no " + shell);
    fake.run(tree.resolve("waymark"));
    try (Waymark run = asAnother(shell)) {
      assertThat(run.exitCode()).as(run.describe()).isEqualTo(7);
      assertThat(run.stderr()).isEmpty();
    }
    Path source = Files.writeString(tree.resolve("src/server/src/main/New.java"), "new");
    Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(1)));
    try (Waymark run = asAnother(shell)) {
      assertThat(run.exitCode()).isOne();
      assertThat(run.stderr())
          .contains(
              "has no build newer than its sources",
              "cannot write to " + tree.toRealPath() + "/.run: start")
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
      assertThat(run.stderr())
          .contains("has no build newer than its sources", "cannot write to")
          .hasLineCount(1);
    }
  }

  @Test
  void run_builtTreeOnAReadOnlyMount_runsOrSaysWhatToDo() throws IOException {
    assumeTrue(
        isRoot() && FakeTree.isThere("unshare"), "needs root and unshare, for a mount of its own");
    fake.run(tree.resolve("waymark"));
    try (Waymark run = onReadOnlyMount()) {
      assertThat(run.exitCode()).as(run.describe()).isEqualTo(7);
      assertThat(run.stderr()).isEmpty();
    }
    Path source = Files.writeString(tree.resolve("src/server/src/main/New.java"), "new");
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
  void run_brokenTree_showsWhatMavenSaidAndEndsWithOne() throws IOException {
    Files.writeString(tree.resolve("pom.xml"), "<project>broken</project>");
    try (Waymark run = fake.launch(tree.resolve("waymark"))) {
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
    assertThat(fake.run(link)).isEqualTo(buildingLine());
  }

  @Test
  void run_asAnArgumentOfTheShell_findsItsTree() throws IOException {
    Files.copy(tree.resolve("waymark"), temp.resolve("waymark"));
    Files.writeString(temp.resolve("pom.xml"), "<project/>");
    try (Waymark run = fake.launch(Path.of("sh"), "waymark")) {
      assertThat(run.exitCode()).as(run.describe()).isEqualTo(7);
    }
  }

  /** Some give a program no descriptor above 2 but those that stand beside it. */
  @ParameterizedTest
  @ValueSource(strings = {"dash", "bash", "busybox sh", "ksh", "mksh", "yash"})
  void run_freshTreeUnderAShell_builds(String shell) throws IOException {
    assumeTrue(FakeTree.isThere(shell.split(" ")[0]), "no " + shell);
    List<String> line = new ArrayList<>(List.of(shell.split(" ")));
    line.add(tree.resolve("waymark").toString());
    try (Waymark run = fake.launch(Path.of(line.removeFirst()), line.toArray(String[]::new))) {
      assertThat(run.exitCode()).as(run.describe()).isEqualTo(7);
      assertThat(run.stderr()).isEqualTo(buildingLine());
    }
  }

  @Test
  void run_quitWhileItBuilds_endsMavenAndLeavesNoHalfBuild() throws IOException {
    // A shell cannot trap what was ignored when it started, as in the background of a script.
    String[] withQuit = {"env", "--default-signal=QUIT"};
    assumeTrue(program(withQuit[0], withQuit[1], "true") == 0, "no env --default-signal");
    Files.writeString(tree.resolve("pom.xml"), "<project>slow</project>");
    String launcher = tree.resolve("waymark").toString();
    try (Waymark run = fake.launch(Path.of(withQuit[0]), withQuit[1], launcher)) {
      Awaitility.await().until(() -> Files.exists(tree.resolve("mvn-calls")) && buildCount() == 1);
      run.signal("QUIT");
      assertThat(run.exitCode()).isEqualTo(131);
    }
    assertThat(ProcessHandle.of(mavenProcess())).as("Maven").isEmpty();
    assertNoBuilds();
  }

  @Test
  void run_javaWithoutACompiler_asksForAJdk() throws IOException {
    Files.delete(javaHome.resolve("bin/javac"));
    String launcher = Files.readString(Path.of("waymark"));
    FakeTree.executable(
        tree.resolve("waymark"),
        launcher.replace("/usr/lib/jvm/* /usr/java/* /opt/* /opt/*/*", ""));
    FakeTree.executable(temp.resolve("bin/java"), "#!/bin/sh\nexit 1\n");
    try (Waymark run =
        fake.launcher(tree.resolve("waymark")).env("JAVA_HOME", "").env("HOME", "").start()) {
      assertThat(run.exitCode()).as(run.describe()).isOne();
      assertThat(run.stderr())
          .contains("needs a JDK 25 or later to build ", "openjdk-25-jdk-headless");
      assertThat(run.stderr()).doesNotContain("openjdk-25-jre");
    }
  }

  @Test
  void run_sourceDatedInTheFuture_saysWhichAndWhatToDo() throws IOException {
    Path source = Files.writeString(tree.resolve("src/server/src/main/Tomorrow.java"), "new");
    Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(86_400)));
    assertThat(fake.run(tree.resolve("waymark")))
        .contains("each start builds anew", "touch '" + source.toRealPath() + "'");
  }

  @Test
  void run_buildThatSaysNothing_asksWhetherTheDiskIsFull() throws IOException {
    Files.writeString(tree.resolve("pom.xml"), "<project>silent</project>");
    try (Waymark run = fake.launch(tree.resolve("waymark"))) {
      assertThat(run.exitCode()).isOne();
      assertThat(run.stderr()).contains("the build failed", "is the disk full?");
    }
  }

  @Test
  void run_treeThatItsOwnerKeepsToHimself_saysThatItCannotBeRead() throws IOException {
    assumeTrue(isRoot(), "needs root, to become another user");
    fake.run(tree.resolve("waymark"));
    Files.setPosixFilePermissions(
        tree.resolve(".run"), PosixFilePermissions.fromString("rwx------"));
    try (Waymark run = asAnother("sh")) {
      assertThat(run.exitCode()).isOne();
      assertThat(run.stderr()).contains(".run cannot be read by ", "chmod -R a+rX").hasLineCount(1);
    }
  }

  /** As a user who may read the tree and not write to it. */
  private Waymark asAnother(String shell, String... args) throws IOException {
    var read = PosixFilePermissions.fromString("rwxr-xr-x");
    Files.setPosixFilePermissions(temp, read);
    List<String> line = new ArrayList<>();
    if (isRoot()) {
      assumeTrue(FakeTree.isThere("setpriv"), "no setpriv, to become another user");
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
    return fake.launcher(Path.of(line.removeFirst()), line.toArray(String[]::new)).start();
  }

  private Waymark onReadOnlyMount(String... args) {
    List<String> line = new ArrayList<>();
    String mount =
        "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" && exec \"$0/waymark\" \"$@\"";
    line.addAll(List.of("-m", "sh", "-c", mount, tree.toString()));
    line.addAll(List.of(args));
    return fake.launcher(Path.of("unshare"), line.toArray(String[]::new)).start();
  }

  private static boolean isRoot() {
    return "root".equals(System.getProperty("user.name"));
  }

  private static int program(String... line) {
    try (Waymark run = Waymark.program(line).start()) {
      return run.exitCode();
    }
  }

  private String buildingLine() throws IOException {
    return "waymark: building "
        + tree.toRealPath()
        + ": about a minute, and several more where Maven has to download libraries first ...\n";
  }

  private void assertNoBuilds() throws IOException {
    try (var builds = Files.newDirectoryStream(tree.resolve(".run"), "build-*")) {
      assertThat(builds).as("no half builds").noneMatch(Files::isDirectory);
    }
  }

  private long mavenProcess() throws IOException {
    String call = Files.readString(tree.resolve("mvn-calls"));
    return Long.parseLong(call.substring(0, call.indexOf(' ')));
  }

  private int buildCount() throws IOException {
    return Files.readAllLines(tree.resolve("mvn-calls")).size();
  }
}
