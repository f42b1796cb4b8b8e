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

/** The launcher in a source tree, with a fake Maven and a fake Java ({@link FakeTree}). */
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
  void run_freshTree_buildsAndExecsJavaWithTheArguments() throws IOException {
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
  void run_archiveOfAnotherVersionInTheTree_runsTheNewBuild() throws IOException {
    Path target = Files.createDirectories(tree.resolve("target"));
    Path old = Files.writeString(target.resolve("waymark-0.tar.gz"), "not an archive");
    Files.setLastModifiedTime(old, FileTime.from(Instant.now().minusSeconds(60)));
    assertThat(fake.run(tree.resolve("waymark"))).isEqualTo(buildingLine());
  }

  @Test
  void run_upToDateBuild_doesNotBuildAgain() throws IOException {
    fake.run(tree.resolve("waymark"));
    assertThat(fake.run(tree.resolve("waymark"))).isEmpty();
    assertThat(buildCount()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"src/server/src/main/New.java", "src/server/src/assembly/release.xml"})
  void run_sourceNewerThanTheBuild_buildsAgainAndKeepsThePreviousBuild(String name)
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
  void run_twoAtOnce_secondWaitsForTheFirstBuild() throws IOException {
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
  void run_terminatedWhileBuilding_endsAtOnceAndSoDoesMaven() throws IOException {
    Files.writeString(tree.resolve("pom.xml"), "<project>slow</project>");
    try (Waymark run = fake.launch(tree.resolve("waymark"))) {
      Awaitility.await().until(() -> Files.exists(tree.resolve("mvn-calls")) && buildCount() == 1);
      assertThat(run.stop()).isEqualTo(143);
    }
    assertThat(ProcessHandle.of(mavenProcess())).as("Maven").isEmpty();
    assertNoBuilds();
  }

  @Test
  void run_failedTraining_isReported() throws IOException {
    FakeTree.executable(javaHome.resolve("bin/java"), "#!/bin/sh\nexit 1\n");
    try (Waymark run = fake.launch(tree.resolve("waymark"))) {
      assertThat(run.exitCode()).isOne();
      assertThat(run.stderr())
          .contains("starts will take twice as long", "the training failed: see ", "/train.log");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"dash", "bash", "busybox sh"})
  void run_builtTreeOfAnotherUser_runsOrSaysWhatToDo(String shell) throws IOException {
    assumeTrue(Waymark.isOnPath(shell.split(" ")[0]), "no " + shell);
    fake.run(tree.resolve("waymark"));
    try (Waymark run = asAnotherUser(shell)) {
      assertThat(run.exitCode()).as(run.describe()).isEqualTo(7);
      assertThat(run.stderr()).isEmpty();
    }
    Path source = Files.writeString(tree.resolve("src/server/src/main/New.java"), "new");
    Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(1)));
    try (Waymark run = asAnotherUser(shell)) {
      assertThat(run.exitCode()).isOne();
      assertThat(run.stderr())
          .contains(
              "has no build newer than its sources",
              "cannot write to " + tree.toRealPath() + "/.run: start")
          .hasLineCount(1);
    }
    try (Waymark run = asAnotherUser(shell, "train")) {
      assertThat(run.exitCode()).isOne();
      assertThat(run.stderr()).contains("cannot write to");
    }
  }

  @Test
  void run_freshTreeOfAnotherUser_saysWhatToDo() throws IOException {
    try (Waymark run = asAnotherUser("sh")) {
      assertThat(run.exitCode()).isOne();
      assertThat(run.stderr())
          .contains("has no build newer than its sources", "cannot write to")
          .hasLineCount(1);
    }
  }

  @Test
  void run_builtTreeOnAReadOnlyMount_runsOrSaysWhatToDo() throws IOException {
    assumeTrue(
        isRoot() && Waymark.isOnPath("unshare"), "needs root and unshare, for a mount of its own");
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
  void run_brokenTree_showsMavensErrorAndExitsWithOne() throws IOException {
    Files.writeString(tree.resolve("pom.xml"), "<project>broken</project>");
    try (Waymark run = fake.launch(tree.resolve("waymark"))) {
      assertThat(run.exitCode()).isEqualTo(1);
      assertThat(run.stderr())
          .contains("[ERROR] broken pom")
          .contains("the build failed")
          .doesNotContain("[INFO]", "\033");
      assertThat(run.stdout()).isEmpty();
    }
    assertNoBuilds();
  }

  @Test
  void run_throughASymbolicLink_findsItsTree() throws IOException {
    Path link = Files.createSymbolicLink(temp.resolve("link"), Path.of("a source tree/waymark"));
    assertThat(fake.run(link)).isEqualTo(buildingLine());
  }

  @Test
  void run_asAnArgumentOfSh_findsItsTree() throws IOException {
    try (Waymark run = fake.launcher(Path.of("sh"), "waymark").in(tree).start()) {
      assertThat(run.exitCode()).as(run.describe()).isEqualTo(7);
    }
  }

  /** Some shells pass a program no descriptor above 2 unless its command redirects it. */
  @ParameterizedTest
  @ValueSource(strings = {"dash", "bash", "busybox sh", "ksh", "mksh", "yash"})
  void run_freshTreeUnderAShell_builds(String shell) throws IOException {
    assumeTrue(Waymark.isOnPath(shell.split(" ")[0]), "no " + shell);
    List<String> command = new ArrayList<>(List.of(shell.split(" ")));
    command.add(tree.resolve("waymark").toString());
    try (Waymark run =
        fake.launch(Path.of(command.removeFirst()), command.toArray(String[]::new))) {
      assertThat(run.exitCode()).as(run.describe()).isEqualTo(7);
      assertThat(run.stderr()).isEqualTo(buildingLine());
    }
  }

  @Test
  void run_quitWhileBuilding_endsMavenAndLeavesNoUnfinishedBuild() throws IOException {
    // A shell cannot trap a signal that was ignored when it started, as in a background job.
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
  void run_javaWithoutCompiler_asksForAJdk() throws IOException {
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
  void run_sourceDatedInTheFuture_isNamedWithARemedy() throws IOException {
    Path source = Files.writeString(tree.resolve("src/server/src/main/Tomorrow.java"), "new");
    Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(86_400)));
    assertThat(fake.run(tree.resolve("waymark")))
        .contains("each start builds anew", "touch '" + source.toRealPath() + "'");
  }

  @Test
  void run_buildFailingSilently_suggestsAFullDisk() throws IOException {
    Files.writeString(tree.resolve("pom.xml"), "<project>silent</project>");
    try (Waymark run = fake.launch(tree.resolve("waymark"))) {
      assertThat(run.exitCode()).isOne();
      assertThat(run.stderr()).contains("the build failed", "is the disk full?");
    }
  }

  @Test
  void run_treeReadableOnlyByItsOwner_saysThatItCannotBeRead() throws IOException {
    assumeTrue(isRoot(), "needs root, to become another user");
    fake.run(tree.resolve("waymark"));
    Files.setPosixFilePermissions(
        tree.resolve(".run"), PosixFilePermissions.fromString("rwx------"));
    try (Waymark run = asAnotherUser("sh")) {
      assertThat(run.exitCode()).isOne();
      assertThat(run.stderr()).contains(".run cannot be read by ", "chmod -R a+rX").hasLineCount(1);
    }
  }

  /** Launches as a user who can read the tree but not write to it. */
  private Waymark asAnotherUser(String shell, String... args) throws IOException {
    var read = PosixFilePermissions.fromString("rwxr-xr-x");
    Files.setPosixFilePermissions(temp, read);
    List<String> command = new ArrayList<>();
    if (isRoot()) {
      assumeTrue(Waymark.isOnPath("setpriv"), "no setpriv, to become another user");
      command.addAll(List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"));
    } else {
      Files.setPosixFilePermissions(tree, PosixFilePermissions.fromString("r-xr-xr-x"));
      if (Files.exists(tree.resolve(".run"))) {
        assertThat(program("chmod", "-R", "a-w", tree.resolve(".run").toString())).isZero();
      }
    }
    command.addAll(List.of(shell.split(" ")));
    command.add(tree.resolve("waymark").toString());
    command.addAll(List.of(args));
    return fake.launcher(Path.of(command.removeFirst()), command.toArray(String[]::new)).start();
  }

  private Waymark onReadOnlyMount(String... args) {
    List<String> command = new ArrayList<>();
    String mount =
        "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" && exec \"$0/waymark\" \"$@\"";
    command.addAll(List.of("-m", "sh", "-c", mount, tree.toString()));
    command.addAll(List.of(args));
    return fake.launcher(Path.of("unshare"), command.toArray(String[]::new)).start();
  }

  private static boolean isRoot() {
    return "root".equals(System.getProperty("user.name"));
  }

  private static int program(String... command) {
    try (Waymark run = Waymark.program(command).start()) {
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
      assertThat(builds).as("no unfinished builds").noneMatch(Files::isDirectory);
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
