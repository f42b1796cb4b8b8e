package dev.waymark.cli.demo;

import java.io.PrintWriter;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * Where the demo shows itself: a terminal, redrawn in place, or lines one after the other.
 * Thread-safe.
 */
final class Screen {
  private static final String CLEAR = "\u001b[H\u001b[2J\u001b[3J";
  private static final int EVENTS_MAX = 10;

  private final PrintWriter out;
  private final boolean isTerminal;
  private final Deque<String> events = new ArrayDeque<>();

  Screen(PrintWriter out, boolean isTerminal) {
    this.out = out;
    this.isTerminal = isTerminal;
  }

  boolean isTerminal() {
    return isTerminal;
  }

  /** Something happened: shown under the table, or printed. */
  synchronized void event(String text) {
    if (events.size() == EVENTS_MAX) {
      events.removeFirst();
    }
    events.add(text);
    if (!isTerminal) {
      print(text);
    }
  }

  /** The latest events, oldest first. */
  synchronized List<String> events() {
    return List.copyOf(events);
  }

  /** Takes the place of everything, in a terminal. */
  synchronized void draw(List<String> lines) {
    out.print(CLEAR);
    lines.forEach(out::println);
    out.flush();
  }

  /** One line that stays. */
  synchronized void print(String line) {
    out.println(line);
    out.flush();
  }
}
