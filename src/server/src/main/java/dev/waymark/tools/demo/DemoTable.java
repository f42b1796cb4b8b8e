package dev.waymark.tools.demo;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Formats the demo's figures as plain text. Stateless. */
final class DemoTable {
  private static final String ROW = "  %-22s %-10s %11s %15s";

  /** A row of the table. */
  record Row(String upstream, String state, long connections, long requests) {}

  private DemoTable() {}

  /** The table, the totals and the latest events. */
  static List<String> render(
      String title, List<Row> rows, Tally.Totals totals, Scrape scrape, List<String> events) {
    List<String> lines = new ArrayList<>();
    lines.add(title);
    lines.add("");
    lines.add(format(ROW, "upstream", "state", "connections", "requests"));
    for (Row row : rows) {
      lines.add(
          format(
              ROW, row.upstream(), row.state(), row.connections(), format("%,d", row.requests())));
    }
    lines.add("");
    lines.add("  " + traffic(totals));
    lines.add("  " + moving(totals, scrape));
    lines.add("  " + verdict(totals));
    lines.add("");
    events.forEach(event -> lines.add("  " + event));
    return lines;
  }

  /** Everything in one line. */
  static String line(Tally.Totals totals, Scrape scrape) {
    return traffic(totals) + "; " + moving(totals, scrape) + "; " + verdict(totals);
  }

  static String traffic(Tally.Totals totals) {
    return format("requests %,d, replies %,d", totals.requests(), totals.replies());
  }

  static String moving(Tally.Totals totals, Scrape scrape) {
    return format(
        "moves %,d, bytes replayed %,d, longest pause %s",
        scrape.moves(), scrape.replayedBytes(), ms(totals.longestPauseNs()));
  }

  static String verdict(Tally.Totals totals) {
    return format(
        "closes %,d, lost %,d, twice %,d", totals.closes(), totals.lost(), totals.twice());
  }

  static String ms(long ns) {
    return format("%,d ms", ns / 1_000_000);
  }

  private static String format(String pattern, Object... values) {
    return String.format(Locale.ROOT, pattern, values);
  }
}
