package dev.waymark.config;

import java.util.LinkedHashSet;
import java.util.Set;
import java.util.stream.Collectors;

/** Generates the tables of docs/configuration.md from the schema; the text around them stays. */
final class Reference {
  static final String START = "<!-- Generated from the key declarations; do not edit. -->\n";
  static final String END = "<!-- End of the generated part. -->\n";

  private Reference() {}

  /** Returns the page with its tables replaced by those of the schema. */
  static String in(String page, Schema schema) {
    int start = page.indexOf(START);
    int end = page.indexOf(END);
    if (start < 0 || end < start) {
      throw new IllegalStateException("the page lacks the lines " + START + " and " + END);
    }
    return page.substring(0, start + START.length()) + "\n" + tables(schema) + page.substring(end);
  }

  private static String tables(Schema schema) {
    Set<String> titles = new LinkedHashSet<>();
    schema.keys().forEach(key -> titles.add(key.title()));
    return titles.stream().map(title -> table(schema, title)).collect(Collectors.joining());
  }

  private static String table(Schema schema, String title) {
    String rows =
        schema.keys().stream()
            .filter(key -> key.title().equals(title))
            .map(Reference::row)
            .collect(Collectors.joining());
    return "### "
        + title
        + "\n\n| key | default | value | flag, variable | reload | meaning |\n"
        + "|---|---|---|---|---|---|\n"
        + rows
        + "\n";
  }

  private static String row(Key<?, ?> key) {
    String defaultText =
        key.defaultText().map(text -> "`" + EntryWriter.scalar(text) + "`").orElse("");
    String flag =
        key.flag()
            .map(name -> "`" + name + "`, `" + key.environmentName().orElseThrow() + "`")
            .orElse("");
    return "| `"
        + key.path()
        + "` | "
        + defaultText
        + " | "
        + key.type().expected()
        + " | "
        + flag
        + " | "
        + key.onReload().label()
        + " | "
        + key.meaning()
        + (key.isSecret() ? " Secret: never shown." : "")
        + " |\n";
  }
}
