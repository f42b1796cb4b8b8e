package dev.waymark.telemetry;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Gauge;
import com.codahale.metrics.Metric;
import com.codahale.metrics.MetricRegistry;
import dev.waymark.protocol.Check;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/**
 * The metrics of the process, in a Dropwizard registry under {@code name{label="value",…}}: totals
 * are Counters, levels are Gauges; names and help texts follow the Prometheus conventions. A series
 * exists, with value 0, as soon as it is registered. Thread-safe.
 *
 * <p>Totals are whole numbers: if the name says seconds ({@code …_seconds_total}), they are kept in
 * nanoseconds and shown in seconds. Label values must come from bounded sets: listener, pool,
 * upstream, reason, kind.
 */
public final class Metrics {
  private static final String TOTAL = "_total";
  private static final Pattern SUFFIX = Pattern.compile("_(total|info)$");

  private final MetricRegistry registry = new MetricRegistry();
  private final Map<String, Family> families = new ConcurrentHashMap<>();
  private final Map<String, Series> series = new ConcurrentSkipListMap<>();

  /** The properties that all series of a name share. */
  record Family(String name, Kind kind, String help, List<String> labelNames) {}

  enum Kind {
    COUNTER,
    GAUGE,
    HISTOGRAM
  }

  /**
   * A histogram of durations.
   *
   * @param boundsNs the upper bounds of the buckets, ascending, in nanoseconds; shown in seconds
   * @param counts the number of durations in each bucket, and last of those above all bounds; not
   *     cumulative
   * @param sumNs the sum of all durations
   */
  public record Durations(long[] boundsNs, long[] counts, long sumNs) {}

  /** One time series: a metric with its label values. */
  record Series(Family family, List<String> labelValues, Metric metric) {}

  MetricRegistry registry() {
    return registry;
  }

  /** Returns the counter with this name and these labels; registers it in the first call. */
  public Counter counter(String name, String help, String... labelPairs) {
    return (Counter) put(Kind.COUNTER, name, help, labelPairs, new Counter(), false);
  }

  /**
   * Registers a counter kept elsewhere. {@code total} is called for every scrape, on any thread; it
   * must never decrease.
   */
  public void counter(String name, String help, LongSupplier total, String... labelPairs) {
    replace(Kind.COUNTER, name, help, labelPairs, new SuppliedCounter(total));
  }

  /** Registers a gauge. {@code level} is called for every scrape, on any thread. */
  public void gauge(String name, String help, LongSupplier level, String... labelPairs) {
    replace(Kind.GAUGE, name, help, labelPairs, (Gauge<Number>) level::getAsLong);
  }

  /** Registers a fractional gauge. {@code level} is called for every scrape, on any thread. */
  public void gauge(String name, String help, DoubleSupplier level, String... labelPairs) {
    replace(Kind.GAUGE, name, help, labelPairs, (Gauge<Number>) level::getAsDouble);
  }

  /**
   * Registers a histogram kept elsewhere; its name must end with {@code _seconds}. {@code
   * durations} is called for every scrape, on any thread.
   */
  public void histogram(
      String name, String help, Supplier<Durations> durations, String... labelPairs) {
    replace(Kind.HISTOGRAM, name, help, labelPairs, (Gauge<Durations>) durations::get);
  }

  /** Removes one series. */
  public void remove(String name, String... labelPairs) {
    series.computeIfPresent(
        key(name, labelNames(labelPairs), labelValues(labelPairs)),
        (key, gone) -> {
          registry.remove(key);
          return null;
        });
  }

  /** Returns all series as Prometheus text, sorted by name without suffix. */
  public byte[] prometheusText() {
    return PrometheusText.of(series());
  }

  Collection<Series> series() {
    return series.values();
  }

  private void replace(Kind kind, String name, String help, String[] labelPairs, Metric metric) {
    put(kind, name, help, labelPairs, metric, true);
  }

  private Metric put(
      Kind kind, String name, String help, String[] labelPairs, Metric metric, boolean replaces) {
    Family family = family(kind, name, help, labelNames(labelPairs));
    List<String> values = labelValues(labelPairs);
    Series kept =
        series.compute(
            key(name, family.labelNames(), values),
            (key, old) -> {
              if (old != null && !replaces) {
                return old;
              }
              registry.remove(key);
              registry.register(key, metric);
              return new Series(family, values, metric);
            });
    return kept.metric();
  }

  private Family family(Kind kind, String name, String help, List<String> labelNames) {
    Check.that(name.matches("[a-z][a-z0-9_]*"), "a metric's name is lower-case with underscores");
    Check.that(
        (kind == Kind.COUNTER) == name.endsWith(TOTAL), "totals, and only totals, end with _total");
    Check.that(!help.isBlank(), "a metric has a help text");
    Family family = new Family(name, kind, help, labelNames);
    // The Prometheus writer treats x, x_total and x_info as the same name x, and would fail every
    // scrape that has two of them.
    Family known = families.putIfAbsent(SUFFIX.matcher(name).replaceFirst(""), family);
    Check.that(
        known == null || known.equals(family),
        "all series of a name have the same kind, help and labels");
    return family;
  }

  private static List<String> labelNames(String[] labelPairs) {
    Check.that(labelPairs.length % 2 == 0, "labels and values come in pairs");
    return select(labelPairs, 0);
  }

  private static List<String> labelValues(String[] labelPairs) {
    return select(labelPairs, 1);
  }

  private static List<String> select(String[] labelPairs, int first) {
    List<String> selected = new ArrayList<>(labelPairs.length / 2);
    for (int i = first; i < labelPairs.length; i += 2) {
      selected.add(labelPairs[i]);
    }
    return List.copyOf(selected);
  }

  private static String key(String name, List<String> labelNames, List<String> labelValues) {
    if (labelNames.isEmpty()) {
      return name;
    }
    StringBuilder key = new StringBuilder(name).append('{');
    for (int i = 0; i < labelNames.size(); i++) {
      String value =
          labelValues.get(i).replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
      key.append(i == 0 ? "" : ",")
          .append(labelNames.get(i))
          .append("=\"")
          .append(value)
          .append('"');
    }
    return key.append('}').toString();
  }

  /** A Counter in the registry whose value is kept elsewhere. */
  private static final class SuppliedCounter extends Counter {
    private final LongSupplier total;

    SuppliedCounter(LongSupplier total) {
      this.total = total;
    }

    @Override
    public long getCount() {
      return total.getAsLong();
    }
  }
}
