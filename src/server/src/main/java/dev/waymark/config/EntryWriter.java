package dev.waymark.config;

import dev.waymark.config.LoadedConfig.Entry;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** Writes flat entries as nested YAML. Confined to its caller. */
final class EntryWriter {
  private static final int COMMENT_COLUMN = 48;
  private static final String LABELS = ".labels.";
  private static final Pattern PLAIN =
      Pattern.compile("[A-Za-z0-9./_]([A-Za-z0-9./:_,+@-]*[A-Za-z0-9./_,+@-])?");

  private final StringBuilder out = new StringBuilder();
  private boolean isElementStarting;

  private EntryWriter() {}

  static String yaml(List<Entry> entries) {
    EntryWriter writer = new EntryWriter();
    List<String> open = List.of();
    for (Entry entry : entries) {
      List<String> parts = parts(entry.key());
      writer.write(parts, sharedCount(open, parts), entry);
      open = parts;
    }
    return writer.out.toString();
  }

  /** Splits {@code listeners[0].name} into listeners, [0] and name. */
  private static List<String> parts(String path) {
    int labels = path.indexOf(LABELS);
    String head = labels < 0 ? path : path.substring(0, labels + LABELS.length() - 1);
    List<String> parts = new ArrayList<>(Arrays.asList(head.replace("[", ".[").split("\\.")));
    if (labels >= 0) {
      parts.add(path.substring(labels + LABELS.length()));
    }
    return parts;
  }

  private static int sharedCount(List<String> open, List<String> parts) {
    int shared = 0;
    while (shared < Math.min(open.size(), parts.size() - 1)
        && open.get(shared).equals(parts.get(shared))) {
      shared++;
    }
    return shared;
  }

  private void write(List<String> parts, int shared, Entry entry) {
    for (int depth = shared; depth < parts.size() - 1; depth++) {
      if (parts.get(depth).startsWith("[")) {
        isElementStarting = true;
      } else {
        out.append(indent(depth)).append(parts.get(depth)).append(":\n");
      }
    }
    String line = indent(parts.size() - 1) + scalar(parts.getLast()) + ": " + scalar(entry.shown());
    out.append(line)
        .repeat(' ', Math.max(1, COMMENT_COLUMN - line.length()))
        .append("# ")
        .append(Setting.printable(entry.origin().text()))
        .append('\n');
  }

  private String indent(int depth) {
    String indent = "  ".repeat(depth);
    if (isElementStarting) {
      isElementStarting = false;
      return indent.substring(2) + "- ";
    }
    return indent;
  }

  /** Plain where that is safe, otherwise in double quotes. */
  static String scalar(String text) {
    if (PLAIN.matcher(text).matches() && !text.toLowerCase(Locale.ROOT).equals("null")) {
      return text;
    }
    StringBuilder quoted = new StringBuilder("\"");
    text.codePoints().forEach(c -> quoted.append(escaped(c)));
    return quoted.append('"').toString();
  }

  private static String escaped(int codePoint) {
    return switch (codePoint) {
      case '"' -> "\\\"";
      case '\\' -> "\\\\";
      case '\r' -> "\\r";
      case '\n' -> "\\n";
      case '\t' -> "\\t";
      default ->
          codePoint >= 0x20 && codePoint < 0x7f
              ? Character.toString(codePoint)
              : String.format(Locale.ROOT, "\\U%08x", codePoint);
    };
  }
}
