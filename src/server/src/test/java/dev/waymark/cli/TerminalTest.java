package dev.waymark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

final class TerminalTest {
  @Test
  void terminal_dumbOrUnknown_isDumb() {
    assertThat(Terminal.isDumb(Map.of())).isTrue();
    assertThat(Terminal.isDumb(Map.of("TERM", "dumb"))).isTrue();
    assertThat(Terminal.isDumb(Map.of("TERM", "xterm"))).isFalse();
  }

  @Test
  void output_notATerminal_cannotBeRedrawn() {
    assertThat(Terminal.canRedraw(null, Map.of("TERM", "xterm"))).isFalse();
  }
}
