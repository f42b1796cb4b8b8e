package dev.waymark.cli;

import java.io.Console;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The capabilities of the user's terminal. Stateless. */
final class Terminal {
  private Terminal() {}

  /** Whether standard input and output are a terminal that understands escape sequences. */
  static boolean canRedraw(@Nullable Console console, Map<String, String> environment) {
    return console != null && console.isTerminal() && !isDumb(environment);
  }

  /** Whether the terminal would print escape sequences literally. */
  static boolean isDumb(Map<String, String> environment) {
    String terminal = environment.getOrDefault("TERM", "");
    return terminal.isEmpty() || terminal.equals("dumb");
  }
}
