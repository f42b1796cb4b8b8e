package dev.waymark.tools.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ScreenTest {
  private final StringWriter out = new StringWriter();
  private final Screen screen = new Screen(new PrintWriter(out), true);

  @Test
  void draw_again_neitherClearsNorScrolls() {
    screen.draw(List.of("one", "two"));
    screen.draw(List.of("three"));
    assertThat(out.toString())
        .startsWith("\u001b[?1049h")
        .containsOnlyOnce("\u001b[?1049h")
        .doesNotContain("\u001b[2J", "\u001b[3J")
        .endsWith("\u001b[Hthree\u001b[K\n\u001b[J");
  }

  @Test
  void draw_afterClose_leavesTheSummaryAlone() {
    screen.draw(List.of("table"));
    screen.close();
    screen.print("summary");
    screen.draw(List.of("late"));
    screen.close();
    assertThat(out.toString()).endsWith("\u001b[?7h\u001b[?1049lsummary\n").doesNotContain("late");
  }

  @Test
  void close_withoutATable_printsNothing() {
    screen.print("starting");
    screen.close();
    assertThat(out).hasToString("starting\n");
  }

  @Test
  void lines_withoutATerminal_haveNoEscapeSequences() {
    Screen lines = new Screen(new PrintWriter(out), false);
    lines.event("killed");
    lines.print("summary");
    lines.close();
    assertThat(out).hasToString("killed\nsummary\n");
  }
}
