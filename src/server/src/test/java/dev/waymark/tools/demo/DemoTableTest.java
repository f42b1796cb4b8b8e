package dev.waymark.tools.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

final class DemoTableTest {
  private static final Scrape SCRAPE =
      Scrape.of(
          """
          # HELP waymark_connections_accepted_total so many
          waymark_connections_moved_total{cause="lane_broken",listener="demo"} 150.0
          waymark_connections_moved_total{cause="draining",listener="demo"} 1.034E3
          waymark_upstream_connections{pool="demo",upstream="a:1"} 12.0
          waymark_upstream_connections{pool="demo",upstream="a:11"} 9.0
          waymark_replayed_bytes_total{listener="demo"} 4321.0
          """);
  private static final Tally.Totals TOTALS = new Tally.Totals(1000, 999, 3, 2, 1, 1_234_567_890L);

  @Test
  void table_ofASnapshot_showsUpstreamsTotalsAndEvents() {
    List<DemoTable.Row> rows =
        List.of(
            new DemoTable.Row("a:1", "running", SCRAPE.connections("a:1"), 12_345),
            new DemoTable.Row("b:2", "frozen", 0, 0));
    assertThat(DemoTable.render("title", rows, TOTALS, SCRAPE, List.of("b:2 is frozen")))
        .containsExactly(
            "title",
            "",
            "  upstream               state      connections        requests",
            "  a:1                    running             12          12,345",
            "  b:2                    frozen               0               0",
            "",
            "  requests 1,000, replies 999",
            "  moves 1,184, bytes replayed 4,321, longest pause 1,234 ms",
            "  closes 1, lost 3, twice 2",
            "",
            "  b:2 is frozen");
  }

  @Test
  void line_ofASnapshot_hasEverything() {
    assertThat(DemoTable.line(TOTALS, SCRAPE))
        .isEqualTo(
            "requests 1,000, replies 999; moves 1,184, bytes replayed 4,321, longest pause 1,234"
                + " ms; closes 1, lost 3, twice 2");
  }

  @Test
  void scrape_empty_isZero() {
    assertThat(Scrape.NONE.moves()).isZero();
    assertThat(Scrape.NONE.replayedBytes()).isZero();
  }
}
