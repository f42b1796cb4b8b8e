package dev.waymark.tools.demo;

import java.io.PrintWriter;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * Where the demo shows itself: a terminal, redrawn in place, or lines one after the other. The
 * table is on the terminal's alternate screen, as that of an editor, so that what was there before
 * comes back when it is closed. Thread-safe.
 */
final class Screen implements AutoCloseable {
  /** The alternate screen; lines that are too long are cut, and not wrapped. */
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

  /** The table, in a terminal. One that comes too late, when the screen is closed, is not drawn. */
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

  /** No more tables: the terminal is as it was before the first, and lines can be printed. */
  @Override
  public synchronized void close() {
    if (isDrawn && !isClosed) {
      out.print(LEAVE);
      out.flush();
    }
    isClosed = true;
  }

  /** One line that stays. */
  synchronized void print(String line) {
    out.println(line);
    out.flush();
  }
}
