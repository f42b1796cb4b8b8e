package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which Java the launcher chooses, and the arguments and environment that it passes. */
final class LauncherJavaIT {
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
  void train_withHelp_trainsNothing() throws IOException {
    Path release = release(Files.readString(Path.of("waymark")));
    try (Waymark run = fake.launch(release.resolve("bin/waymark"), "train", "--help")) {
      assertThat(run.exitCode()).isEqualTo(7);
      assertThat(run.stdout()).contains("<train>\n<--help>\n").doesNotContain("AOTCacheOutput");
    }
  }

  @Test
  void run_unpackedRelease_startsWithoutABuild() throws IOException {
    Path release = release(Files.readString(Path.of("waymark")));
    try (Waymark run = fake.launch(release.resolve("bin/waymark"))) {
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

  /** Cgroup limits, by path below the root. They are 512 MiB, a tenth of which is 51. */
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
    try (Waymark run = fake.launch(release(launcher).resolve("bin/waymark"))) {
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
  void run_heapOrCollectorChosen_leavesTheYoungGenerationUnbounded(String options)
      throws IOException {
    assertThat(options("WAYMARK_JAVA_OPTS", options))
        .endsWith("/jvm.options>\n<" + options.replace(" ", ">\n<") + ">\n");
    assertThat(options("JDK_JAVA_OPTIONS", options)).endsWith("/jvm.options>\n");
  }

  @Test
  void run_otherOptions_stillBoundTheYoungGeneration() throws IOException {
    assertThat(options("WAYMARK_JAVA_OPTS", "-Xlog:gc -XX:MaxGCPauseMillis=50"))
        .containsPattern("<-XX:MaxNewSize=\\d+m>\n<-XX:G1HeapRegionSize=1m>\n<-Xlog:gc>\n");
  }

  @Test
  void run_trainedRelease_usesItsCache() throws IOException {
    Path release = temp.resolve("a release");
    Path jar = Files.createDirectories(release.resolve("lib")).resolve("a.jar");
    Files.writeString(jar, "jar");
    FakeTree.executable(release.resolve("bin/waymark"), Files.readString(Path.of("waymark")));
    try (Waymark training = fake.launch(release.resolve("bin/waymark"), "train")) {
      assertThat(training.exitCode()).as(training.describe()).isZero();
    }
    assertThat(optionsOf(release)).contains("<-XX:AOTCache=");
  }

  @ParameterizedTest
  @CsvSource({"bridge, 1", "stub, 0", "--debug bridge, 1", "--debug stub, 0"})
  void run_bridge_startsJavaWithHangupIgnored(String command, int hangup) throws IOException {
    assumeTrue(Files.exists(Path.of("/proc/self/status")), "no /proc");
    assumeTrue(
        hangup == 1 || !Waymark.isIgnoredHere("HUP"), "this build ignores SIGHUP, as with nohup");
    Path release = release(Files.readString(Path.of("waymark")));
    try (Waymark run = fake.launch(release.resolve("bin/waymark"), command.split(" "))) {
      assertThat(run.exitCode()).isEqualTo(7);
      String ignored = run.awaitLine("SigIgn:\\s*([0-9a-f]+)").group(1);
      assertThat(Long.parseLong(ignored, 16) & 1).isEqualTo(hangup);
    }
  }

  @Test
  void run_withALocale_keepsFileNameEncodingAndEnglishMessages() throws IOException {
    Path launcher = release(Files.readString(Path.of("waymark"))).resolve("bin/waymark");
    FakeTree.executable(temp.resolve("bin/locale"), "#!/bin/sh\necho UTF-8\n");
    try (Waymark run = fake.launcher(launcher).env("LC_ALL", "de_DE.UTF-8").start()) {
      assertThat(run.exitCode()).isEqualTo(7);
      assertThat(run.stdout()).contains("locale all= messages=C ctype=de_DE.UTF-8\n");
    }
  }

  /** With an ASCII locale, Java finds no jars or files below a folder with other letters. */
  @ParameterizedTest
  @ValueSource(strings = {"C", "POSIX", "xx_XX.UTF-8"})
  void run_withoutAnInstalledLocale_readsFileNamesAsUtf8(String locale) throws IOException {
    assumeTrue(Waymark.isOnPath("locale"), "no locale");
    try (Waymark all = Waymark.program("locale", "-a").start()) {
      assertThat(all.exitCode()).isZero();
      assumeTrue(all.stdout().toLowerCase(Locale.ROOT).contains("c.utf"), "no locale C.UTF-8");
    }
    Path launcher = release(Files.readString(Path.of("waymark"))).resolve("bin/waymark");
    for (String variable : List.of("LC_ALL", "LC_CTYPE", "LANG")) {
      Waymark.Launch launch = fake.launcher(launcher).env("LC_ALL", "").env("LC_CTYPE", "");
      try (Waymark run = launch.env("LANG", "").env(variable, locale).start()) {
        assertThat(run.exitCode()).isEqualTo(7);
        assertThat(run.stdout()).contains("locale all= messages=C ctype=C.UTF-8\n");
        assertThat(run.stderr()).isEmpty();
      }
    }
  }

  @Test
  void run_inAFolderWithAColon_isRefused() throws IOException {
    Path bin = temp.resolve("a:release/bin");
    Files.createDirectories(bin.resolveSibling("lib"));
    FakeTree.executable(bin.resolve("waymark"), Files.readString(Path.of("waymark")));
    try (Waymark run = fake.launch(bin.resolve("waymark"))) {
      assertThat(run.exitCode()).isOne();
      assertThat(run.stderr()).contains("a:release", "colon").hasLineCount(1);
    }
  }

  @Test
  void run_javaTooOld_saysWhatIsNeeded() throws IOException {
    Files.writeString(javaHome.resolve("release"), "JAVA_VERSION=\"1.8.0_402\"\n");
    try (Waymark run = fake.launch(tree.resolve("waymark"))) {
      assertThat(run.exitCode()).isEqualTo(1);
      assertThat(run.stderr()).contains(javaHome.toString()).contains("not a Java 25 or later");
    }
  }

  /** Returns Java's arguments up to the main class, with options in this variable. */
  private String options(String variable, String value) throws IOException {
    Path release = release(Files.readString(Path.of("waymark")));
    try (Waymark run = fake.launcher(release.resolve("bin/waymark")).env(variable, value).start()) {
      assertThat(run.exitCode()).as(run.describe()).isEqualTo(7);
      return run.stdout().substring(0, run.stdout().indexOf("<dev.waymark.cli.Main>"));
    }
  }

  private String optionsOf(Path release) {
    try (Waymark run = fake.launch(release.resolve("bin/waymark"))) {
      assertThat(run.exitCode()).as(run.describe()).isEqualTo(7);
      return run.stdout();
    }
  }

  private Path release(String launcher) throws IOException {
    Path release = temp.resolve("a release");
    Files.createDirectories(release.resolve("lib"));
    FakeTree.executable(release.resolve("bin/waymark"), launcher);
    return release;
  }

  /** Creates a folder with the files that the launcher reads about a machine; null omits a file. */
  private Path machine(int cores, String memoryKib, String cgroups, String limits)
      throws IOException {
    Path machine = Files.createDirectories(temp.resolve("machine"));
    FakeTree.executable(temp.resolve("bin/getconf"), "#!/bin/sh\necho " + cores + "\n");
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
}
