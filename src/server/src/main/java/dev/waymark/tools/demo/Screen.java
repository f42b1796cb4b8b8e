package dev.waymark.tools.demo;

import java.io.PrintWriter;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * The demo's output: a table redrawn in place on a terminal, or plain lines. The table uses the
 * terminal's alternate screen, like an editor, so that the previous content comes back on close.
 * Thread-safe.
 */
final class Screen implements AutoCloseable {
  /** Enters the alternate screen and turns off line wrapping. */
  private static final String ENTER = "\u001b[?1049h\u001b[?7l";

  private static final String LEAVE = "\u001b[?7h\u001b[?1049l";
  private static final String HOME = "\u001b[H";
  private static final String REST_OF_LINE = "\u001b[K";
  private static final String REST_OF_SCREEN = "\u001b[J";
  private static final int EVENTS_MAX = 10;

  private final PrintWriter out;
  private final boolean isTerminal;
  private final Deque<String> events = new ArrayDeque<>();
  private boolean isDrawn;
  private boolean isClosed;

  Screen(PrintWriter out, boolean isTerminal) {
    this.out = out;
    this.isTerminal = isTerminal;
  }

  boolean isTerminal() {
    return isTerminal;
  }

  /** Shows an event under the table, or prints it without a terminal. */
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

  /** Draws the table on the terminal. No effect once the screen is closed. */
  synchronized void draw(List<String> lines) {
    if (isClosed) {
      return;
    }
    out.print(isDrawn ? HOME : ENTER + HOME);
    isDrawn = true;
    lines.forEach(line -> out.println(line + REST_OF_LINE));
    out.print(REST_OF_SCREEN);
    out.flush();
  }

  /** Restores the terminal. After that lines can be printed, but no tables drawn. */
  @Override
  public synchronized void close() {
    if (isDrawn && !isClosed) {
      out.print(LEAVE);
      out.flush();
    }
    isClosed = true;
  }

  /** Prints a line. */
  synchronized void print(String line) {
    out.println(line);
    out.flush();
  }
}
