package dev.waymark.config;

import dev.waymark.config.Schema.Child;
import java.util.Objects;

/** Generates misc/waymark.yml from the schema: every key, its default and its meaning. */
final class SampleFile {
  private static final String HEADER =
      """
      # A bridge's configuration: every key with its default and meaning. Generated from the keys' declarations.
      # Lines that start with # and a key show alternatives, and keys without a fixed default.
      # Durations: 500ms, 30s, 5m, 1h, off. Sizes: bytes, 64KiB, 1MiB.
      # Check: waymark config check FILE. What is in force: waymark config show --config FILE.
      # Completion and checks in an editor: docs/configuration.md, Editors.
      """;

  private final Schema schema;
  private final StringBuilder out = new StringBuilder(HEADER);

  private SampleFile(Schema schema) {
    this.schema = schema;
  }

  static String text() {
    return text(Schema.BRIDGE);
  }

  static String text(Schema schema) {
    SampleFile sample = new SampleFile(schema);
    String title = "";
    for (Child child : schema.childrenOf("").values()) {
      String next = sample.title(child);
      if (!next.equals(title)) {
        sample.out.append('\n');
      }
      title = next;
      sample.child("", child, "", "");
    }
    return sample.out.toString();
  }

  private String title(Child child) {
    return schema.keys().stream()
        .filter(key -> key.path().matches(child.name() + "(\\[]|\\.|$).*"))
        .findFirst()
        .orElseThrow()
        .title();
  }

  /**
   * @param dash the start of a list element, in place of the indentation; empty for other children
   */
  private void child(String prefix, Child child, String indent, String dash) {
    if (child.isValue()) {
      value(key(prefix + child.name()), indent, dash);
    }
    boolean isChoice = child.isValue() || !prefix.isEmpty();
    if (child.isList() && !isChoice) {
      out.append(child.name()).append(":\n");
      children(child.name() + "[].", "    ", "  - ");
    } else if (child.isMap() && !isChoice) {
      out.append(child.name()).append(":\n");
      children(child.name() + ".", "  ", "");
    } else if (child.isList() || child.isMap()) {
      alternative(prefix, child, indent + "# ");
    }
  }

  private void children(String prefix, String indent, String dash) {
    String next = dash;
    for (Child child : schema.childrenOf(prefix).values()) {
      child(prefix, child, indent, next);
      next = "";
    }
  }

  private void value(Key<?, ?> key, String indent, String dash) {
    out.append(indent).append("# ").append(key.meaning());
    out.append(" (").append(key.type().expected()).append(")\n");
    String value = EntryWriter.scalar(key.defaultText().orElse(""));
    boolean isExample = key.defaultText().isEmpty();
    out.append(dash.isEmpty() ? indent : dash)
        .append(isExample ? "# " : "")
        .append(key.name())
        .append(": ")
        .append(isExample && !key.example().isEmpty() ? key.example() : value)
        .append('\n');
  }

  /** Writes an optional map or list as a comment. */
  private void alternative(String prefix, Child child, String indent) {
    out.append(indent).append(child.name()).append(":\n");
    String inner = prefix + child.name() + (child.isList() ? "[]." : ".");
    String dash = child.isList() ? "  - " : "  ";
    for (Child each : schema.childrenOf(inner).values()) {
      if (each.isValue()) {
        Key<?, ?> key = key(inner + each.name());
        String name = each.name().equals("*") ? "zone" : each.name();
        String value =
            key.example().isEmpty()
                ? EntryWriter.scalar(key.defaultText().orElse(""))
                : key.example();
        out.append(indent).append(dash).append(name).append(": ").append(value);
        out.append("  # ").append(key.meaning()).append('\n');
      } else {
        alternative(inner, each, indent + (child.isList() ? "    " : "  "));
      }
      dash = child.isList() ? "    " : "  ";
    }
  }

  private Key<?, ?> key(String path) {
    return Objects.requireNonNull(schema.key(path));
  }
}
