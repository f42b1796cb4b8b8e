package dev.waymark.config;

import java.util.stream.Collectors;

/** Writes docs/configuration.md from the schema. */
final class Reference {
  private Reference() {}

  static String text() {
    return """
    # Configuration

    Generated from the schema in `dev.waymark.config`; do not edit.

    Flags go before environment variables, these before the file (`--config FILE` or `WAYMARK_CONFIG`), the file before the
    defaults. `waymark config show` takes the flags of `waymark bridge` and prints every value in force with where it came from;
    `waymark config check FILE` says all that is wrong with a file, as a bridge with these environment variables would read it.
    `misc/waymark.yml` has every key with its default.

    - Flags of listeners and pools hold for each of them. `--listen` takes addresses with commas between them; each becomes a
      listener like the only one there is (`default`, `default-2`, …). `--listen` and `--upstream` are refused where the file has
      several listeners or pools.
    - An upstream is embedded (the echo, by default on 127.0.0.1:4770) only where nobody names a pool or an upstream.
    - Words (`debug`, `round-robin`, `true`, `off`) may be in any case.
    - Durations have a unit: `500ms`, `30s`, `5m`, `1h`. Sizes are bytes or have one: `64KiB`, `1MiB`.
    - The file is one YAML document of at most 1 MiB in UTF-8. Text with `:` or `[` at its start stands in quotes: `"[::1]:7000"`.
    - A mistake ends the program with exit code 2 before anything has started; all mistakes are told, one a line.

    """
        + table("Listeners", "listeners[].")
        + table("Pools", "pools[].")
        + table("Lanes", "lanes.")
        + table("The bridge", "");
  }

  private static String table(String title, String prefix) {
    String rows =
        Schema.KEYS.stream()
            .filter(key -> section(key).equals(prefix))
            .map(Reference::row)
            .collect(Collectors.joining());
    return "## "
        + title
        + "\n\n| key | default | value | flag, variable | meaning |\n|---|---|---|---|---|\n"
        + rows
        + "\n";
  }

  private static String section(Key<?> key) {
    for (String prefix : new String[] {"listeners[].", "pools[].", "lanes."}) {
      if (key.path().startsWith(prefix)) {
        return prefix;
      }
    }
    return "";
  }

  private static String row(Key<?> key) {
    String defaultText =
        key.defaultText().map(text -> "`" + EntryWriter.scalar(text) + "`").orElse("");
    String flag = key.flag().map(f -> "`" + f + "`, `" + Key.environmentName(f) + "`").orElse("");
    return "| `"
        + key.path()
        + "` | "
        + defaultText
        + " | "
        + key.type().expected()
        + " | "
        + flag
        + " | "
        + key.meaning()
        + " |\n";
  }
}
