package dev.waymark.telemetry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.codahale.metrics.Counter;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class MetricsTest {
  private final Metrics metrics = new Metrics();

  @Test
  void text_ofEveryKind_isValidPrometheusText() {
    metrics.counter("waymark_b_total", "Bs.", "listener", "two").inc(3);
    metrics.counter("waymark_b_total", "Bs.", "listener", "one");
    metrics.gauge("waymark_b_open", "Level of b.", () -> 7L);
    metrics.gauge("waymark_a_ratio", "A fraction.", () -> 0.25);
    metrics.counter("waymark_c_duration_seconds_total", "Time in c.", () -> 1_500_000_000L);
    metrics.gauge("waymark_build_info", "The version.", () -> 1L, "version", "0.1");
    assertThat(text())
        .isEqualTo(
            """
            # HELP waymark_a_ratio A fraction.
            # TYPE waymark_a_ratio gauge
            waymark_a_ratio 0.25
            # HELP waymark_b_total Bs.
            # TYPE waymark_b_total counter
            waymark_b_total{listener="one"} 0.0
            waymark_b_total{listener="two"} 3.0
            # HELP waymark_b_open Level of b.
            # TYPE waymark_b_open gauge
            waymark_b_open 7.0
            # HELP waymark_build_info The version.
            # TYPE waymark_build_info gauge
            waymark_build_info{version="0.1"} 1
            # HELP waymark_c_duration_seconds_total Time in c.
            # TYPE waymark_c_duration_seconds_total counter
            waymark_c_duration_seconds_total 1.5
            """);
  }

  @Test
  void text_hostileLabel_isEscaped() {
    metrics.gauge("waymark_x", "X.", () -> 1L, "upstream", "a\"b\\c\nd");
    assertThat(text()).endsWith("waymark_x{upstream=\"a\\\"b\\\\c\\nd\"} 1.0\n");
  }

  @Test
  void registry_holdsMetrics_byNameAndLabels() {
    AtomicLong total = new AtomicLong(5);
    metrics.counter("waymark_x_total", "X.", total::get, "pool", "p", "reason", "done");
    metrics.gauge("waymark_y", "Y.", () -> 2L);
    total.set(6);
    assertThat(metrics.registry().getCounters().get("waymark_x_total{pool=\"p\",reason=\"done\"}"))
        .extracting(Counter::getCount)
        .isEqualTo(6L);
    assertThat(metrics.registry().getGauges().get("waymark_y"))
        .extracting(gauge -> gauge.getValue())
        .isEqualTo(2L);
  }

  @Test
  void counter_requestedTwice_isTheSame() {
    Counter first = metrics.counter("waymark_x_total", "X.", "pool", "p");
    assertThat(metrics.counter("waymark_x_total", "X.", "pool", "p")).isSameAs(first);
    assertThat(metrics.counter("waymark_x_total", "X.", "pool", "q")).isNotSameAs(first);
  }

  @Test
  void gauge_registeredAgain_isReplaced() {
    metrics.gauge("waymark_x", "X.", () -> 1L, "upstream", "u");
    metrics.gauge("waymark_x", "X.", () -> 2L, "upstream", "u");
    assertThat(text()).endsWith("waymark_x{upstream=\"u\"} 2.0\n");
  }

  @Test
  void histogram_inTheText_hasCumulativeBucketsInSeconds() {
    metrics.histogram(
        "waymark_x_seconds",
        "X.",
        () ->
            new Metrics.Durations(
                new long[] {1_000_000, 500_000_000}, new long[] {3, 2, 1}, 2_500_000_000L),
        "listener",
        "l");
    assertThat(text().lines())
        .contains(
            "waymark_x_seconds_bucket{listener=\"l\",le=\"0.001\"} 3",
            "waymark_x_seconds_bucket{listener=\"l\",le=\"0.5\"} 5",
            "waymark_x_seconds_bucket{listener=\"l\",le=\"+Inf\"} 6",
            "waymark_x_seconds_sum{listener=\"l\"} 2.5",
            "waymark_x_seconds_count{listener=\"l\"} 6");
  }

  @Test
  void remove_ofOneSeries_keepsTheOthers() {
    metrics.gauge("waymark_x", "X.", () -> 1L, "upstream", "u");
    metrics.gauge("waymark_x", "X.", () -> 1L, "upstream", "v");
    metrics.remove("waymark_x", "upstream", "u");
    assertThat(metrics.registry().getNames()).containsExactly("waymark_x{upstream=\"v\"}");
    assertThat(text()).doesNotContain("\"u\"");
  }

  @Test
  void register_againstTheConventions_isRefused() {
    assertThatThrownBy(() -> metrics.counter("waymark_x", "X.")).hasMessageContaining("_total");
    assertThatThrownBy(() -> metrics.gauge("waymark_x_total", "X.", () -> 1L))
        .hasMessageContaining("_total");
    metrics.gauge("waymark_x", "X.", () -> 1L, "pool", "p");
    assertThatThrownBy(() -> metrics.gauge("waymark_x", "X.", () -> 1L))
        .hasMessageContaining("same kind");
  }

  @Test
  void register_nameThatDiffersOnlyBySuffix_isRefused() {
    metrics.counter("waymark_x_total", "X.");
    assertThatThrownBy(() -> metrics.gauge("waymark_x", "X.", () -> 1L))
        .hasMessageContaining("same kind");
    assertThat(text()).contains("waymark_x_total 0.0");
  }

  @Test
  void text_withAFailingReader_showsTheOthers() {
    metrics.gauge("waymark_bad", "Bad.", () -> Long.parseLong("x"));
    metrics.counter("waymark_bad_things_total", "Bad.", () -> -1);
    metrics.gauge("waymark_good", "Good.", () -> 1L);
    assertThat(text()).contains("waymark_good 1.0").doesNotContain("waymark_bad");
    assertThat(text()).doesNotContain("# HELP waymark_bad");
  }

  @Test
  void processMetrics_registered_areAllPresent() {
    ProcessMetrics.register(metrics, "0.1");
    List<String> lines = text().lines().toList();
    assertThat(lines).contains("waymark_build_info{version=\"0.1\"} 1").doesNotHaveDuplicates();
    assertThat(lines).anyMatch(line -> line.startsWith("process_open_fds "));
    assertThat(lines).anyMatch(line -> line.startsWith("process_resident_memory_bytes "));
    assertThat(lines)
        .anyMatch(line -> line.startsWith("waymark_jvm_memory_used_bytes{area=\"heap\"}"));
    assertThat(lines)
        .anyMatch(line -> line.startsWith("waymark_jvm_gc_duration_seconds_total{gc="));
  }

  private String text() {
    return new String(metrics.prometheusText(), UTF_8);
  }
}
