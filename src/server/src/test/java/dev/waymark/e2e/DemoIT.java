package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** {@code waymark demo} as its users see it, without a terminal. */
final class DemoIT {
  @Test
  void demo_forSomeSeconds_showsFaultsAndLosesNothing() {
    try (Waymark demo = demo("--seconds=10", "--seed=5", "--clients=100")) {
      assertThat(demo.exitCode(Duration.ofSeconds(90))).as(demo.describe()).isZero();
      assertThat(demo.stdout())
          .contains("SIGTERM", "is back; longest client pause meanwhile: ")
          .contains("waymark demo, seed 5: ")
          .containsPattern("requests [0-9,]+, replies [0-9,]+\n")
          .containsPattern("moves [1-9][0-9,]*, bytes replayed [0-9,]+, longest pause [0-9,]+ ms\n")
          .endsWith("closes 0, lost 0, twice 0\n")
          .doesNotContain("\u001b");
    }
  }

  @Test
  void sigterm_endsTheDemoCleanlyWithASummary() {
    try (Waymark demo = demo("--clients=10")) {
      demo.awaitLine("requests [1-9]");
      List<ProcessHandle> children = ProcessHandle.of(demo.pid()).orElseThrow().children().toList();
      assertThat(children).hasSizeGreaterThanOrEqualTo(4);
      assertThat(demo.stop()).as(demo.describe()).isZero();
      assertThat(demo.stdout()).contains("closes 0, lost 0, twice 0\n");
      awaitGone(children);
    }
  }

  /** On Ctrl-C, the terminal signals all processes of the foreground group. */
  @Test
  void ctrlC_duringStart_endsTheDemoWithASummary() {
    assumeFalse(Waymark.isIgnoredHere("INT"), "this build ignores SIGINT, as in the background");
    try (Waymark demo = demo("--clients=10")) {
      demo.awaitLine("starting a bridge");
      await().until(() -> upstreamsOf(demo).size() == 3);
      List<String> line = new ArrayList<>(List.of("kill", "-INT", Long.toString(demo.pid())));
      upstreamsOf(demo).forEach(upstream -> line.add(Long.toString(upstream.pid())));
      try (Waymark kill = Waymark.program(line.toArray(String[]::new)).start()) {
        assertThat(kill.exitCode()).isZero();
      }
      assertThat(demo.exitCode()).as(demo.describe()).isZero();
      assertThat(demo.stdout()).contains("no faults", "closes 0, lost 0, twice 0\n");
    }
  }

  /** Returns the demo's children that already run Java, without shells that are about to. */
  private static List<ProcessHandle> upstreamsOf(Waymark demo) {
    return ProcessHandle.of(demo.pid())
        .orElseThrow()
        .children()
        .filter(child -> child.info().command().orElse("").endsWith("/java"))
        .toList();
  }

  @Test
  void sigkill_alsoEndsTheChildProcesses() {
    try (Waymark demo = demo("--clients=10")) {
      demo.awaitLine("requests [1-9]");
      List<ProcessHandle> children = ProcessHandle.of(demo.pid()).orElseThrow().children().toList();
      ProcessHandle.of(demo.pid()).orElseThrow().destroyForcibly();
      awaitGone(children);
    }
  }

  /** Its children take the same compiler and collector. */
  private static Waymark demo(String... flags) {
    return Waymark.command(
            Stream.concat(Stream.of("demo"), Stream.of(flags)).toArray(String[]::new))
        .quick()
        .start();
  }

  private static void awaitGone(List<ProcessHandle> children) {
    await()
        .atMost(Duration.ofSeconds(15))
        .until(() -> children.stream().noneMatch(ProcessHandle::isAlive));
  }
}
