package dev.waymark.cli;

import java.io.Console;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the user's terminal can do. No state. */
final class Terminal {
  private Terminal() {}

  /** Whether standard input and output are one, and it knows escape sequences. */
  static boolean canRedraw(@Nullable Console console, Map<String, String> environment) {
    return console != null && console.isTerminal() && !isDumb(environment);
  }

  /** Whether escape sequences would be printed as they are. */
  static boolean isDumb(Map<String, String> environment) {
    String terminal = environment.getOrDefault("TERM", "");
    return terminal.isEmpty() || terminal.equals("dumb");
  }
}
