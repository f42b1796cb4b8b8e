package dev.waymark.tools.ctl;

import java.util.ArrayList;
import java.util.List;

/**
 * Titles, each with rows below it that have a label and a text. All texts begin in one column, and
 * go on in it where a line is full. Confined to one thread.
 */
final class Blocks {
  private static final int WIDTH = 100;
  private static final String INDENT = "  ";
  private static final int GAP = 2;

  /** A text has at least this width, however long the labels are. */
  private static final int TEXT_WIDTH_MIN = 40;

  private record Row(String label, String text, boolean isTitle) {}

  private final List<Row> rows = new ArrayList<>();

  void title(String text) {
    rows.add(new Row("", text, true));
  }

  void row(String label, String text) {
    rows.add(new Row(label, text, false));
  }

  /** The lines, each with its end. */
  String text() {
    int labelWidth = rows.stream().mapToInt(row -> row.label.length()).max().orElse(0);
    int start = INDENT.length() + labelWidth + GAP;
    int width = Math.max(WIDTH - start, TEXT_WIDTH_MIN);
    StringBuilder text = new StringBuilder();
    for (Row row : rows) {
      if (row.isTitle) {
        text.append(text.isEmpty() ? "" : "\n").append(row.text).append('\n');
        continue;
      }
      String label = row.label;
      for (String line : wrapped(row.text, width)) {
        text.append(INDENT).append(label).repeat(' ', start - INDENT.length() - label.length());
        text.append(line).append('\n');
        label = "";
      }
    }
    return text.toString();
  }

  private static List<String> wrapped(String text, int width) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (String word : text.split(" ")) {
      if (!line.isEmpty() && line.length() + 1 + word.length() > width) {
        lines.add(line.toString());
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : " ").append(word);
    }
    lines.add(line.toString());
    return lines;
  }
}
