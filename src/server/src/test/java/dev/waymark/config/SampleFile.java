package dev.waymark.config;

import java.util.Map;

/** Writes misc/waymark.yml from the schema: every key, its default and its meaning. */
final class SampleFile {
  /** For keys without a default, which stand in comments. */
  private static final Map<Key<?>, String> EXAMPLES =
      Map.of(
          ListenerKeys.POOL, "default",
          ListenerKeys.FRAMING_TYPE, "length-prefixed",
          ListenerKeys.FRAMING_DELIMITER, "\"\\r\\n\"",
          ListenerKeys.FRAMING_SIZE, "16",
          PoolKeys.UPSTREAM_ADDRESS, "127.0.0.1:4770",
          PoolKeys.UPSTREAM_LABEL, "a",
          PoolKeys.SUBSET_SHARE, "5",
          PoolKeys.SUBSET_LABEL, "a",
          ProcessKeys.NODE, "bridge-1");

  private final StringBuilder out = new StringBuilder();
  private String open = "";

  private SampleFile() {}

  static String text() {
    SampleFile sample = new SampleFile();
    sample.out.append(
        """
        # A bridge's configuration: every key, its default and its meaning. Generated from the schema.
        # Lines that start with # and a key are choices, or keys whose default is not a fixed value.
        # Durations: 500ms, 30s, 5m, 1h, off. Sizes: bytes, 64KiB, 1MiB.
        # Check: waymark config check FILE. What is in force: waymark config show --config FILE.
        """);
    Schema.KEYS.forEach(sample::write);
    return sample.out.toString();
  }

  private void write(Key<?> key) {
    int end = key.path().lastIndexOf('.') + 1;
    String section = key.path().substring(0, end);
    String name = key.path().substring(end);
    boolean isChoice =
        section.endsWith("framing.")
            || section.contains("upstreams[].")
            || section.contains("subsets[].");
    boolean isComment = isChoice || key.defaultText().isEmpty();
    boolean isFirstOfList =
        section.endsWith("[].") && !section.equals(open) && !open.startsWith(section);
    String base = isChoice ? section.substring(0, section.indexOf("].") + 2) : section;
    header(section, base, isChoice);
    String indent = base.isEmpty() ? "" : base.endsWith("[].") ? "    " : "  ";
    String mark = isComment ? "# " + "  ".repeat(depth(section) - depth(base)) : "";
    String shownName = name.equals("*") ? "zone" : name;
    String value = EXAMPLES.getOrDefault(key, EntryWriter.scalar(key.defaultText().orElse("")));
    String explained = indent + "# " + key.meaning() + " (" + key.type().expected() + ")\n";
    if (isChoice) {
      out.append(indent)
          .append(mark, 0, mark.length())
          .append(dash(name))
          .append(shownName)
          .append(": ")
          .append(value)
          .append("  # ")
          .append(key.meaning())
          .append('\n');
    } else {
      out.append(explained);
      out.append(isFirstOfList ? "  - " : indent)
          .append(mark)
          .append(shownName)
          .append(": ")
          .append(value)
          .append('\n');
    }
  }

  private static String dash(String name) {
    return name.equals("address") || name.equals("share-percent")
        ? "- "
        : name.equals("weight") || name.equals("*") ? "  " : "";
  }

  private void header(String section, String base, boolean isChoice) {
    if (section.equals(open)) {
      return;
    }
    if (isChoice) {
      String name = section.substring(base.length()).replace("[]", "").replace(".labels.", "  ");
      String header =
          section.endsWith("labels.")
              ? "    #     labels:"
              : "    # " + name.replace(".", "") + ":";
      out.append(header).append('\n');
    } else if (!section.isEmpty() && !open.startsWith(section)) {
      out.append('\n').append(section.replace("[]", "").replace(".", "")).append(":\n");
    } else if (section.isEmpty()) {
      out.append('\n');
    }
    open = section;
  }

  private static int depth(String section) {
    return (int) section.chars().filter(c -> c == '.').count();
  }
}
