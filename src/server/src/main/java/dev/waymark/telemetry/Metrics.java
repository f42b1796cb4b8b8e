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
 * The metrics of the process. Thread-safe. Dropwizard's registry holds them under {@code
 * name{label="value",…}}: totals as Counters, levels as Gauges; names and help follow the
 * Prometheus conventions. A series is there, with 0, from its registration on.
 *
 * <p>Totals are whole numbers: where the name says seconds ({@code …_seconds_total}) they are kept
 * in nanoseconds and shown in seconds. Label values come from bounded sets only: listener, pool,
 * upstream, reason, kind.
 */
public final class Metrics {
  private static final String TOTAL = "_total";
  private static final Pattern SUFFIX = Pattern.compile("_(total|info)$");

  private final MetricRegistry registry = new MetricRegistry();
  private final Map<String, Family> families = new ConcurrentHashMap<>();
  private final Map<String, Series> series = new ConcurrentSkipListMap<>();

  /** What a family of series has in common. */
  record Family(String name, Kind kind, String help, List<String> labelNames) {}

  enum Kind {
    COUNTER,
    GAUGE,
    HISTOGRAM
  }

  /**
   * How often something was so large.
   *
   * @param boundsNs upper bounds of the buckets, ascending, in nanoseconds; shown in seconds
   * @param counts how many fell into each bucket, and last how many were larger than all bounds
   * @param sumNs of all of them
   */
  public record Durations(long[] boundsNs, long[] counts, long sumNs) {}

  /** One line of figures. */
  record Series(Family family, List<String> labelValues, Metric metric) {}

  MetricRegistry registry() {
    return registry;
  }

  /** The counter of this name and these labels; registered at the first call. */
  public Counter counter(String name, String help, String... labelPairs) {
    return (Counter) put(Kind.COUNTER, name, help, labelPairs, new Counter(), false);
  }

  /**
   * A counter kept elsewhere, read when asked for; {@code total} never falls, and is called by any
   * thread.
   */
  public void counter(String name, String help, LongSupplier total, String... labelPairs) {
    replace(Kind.COUNTER, name, help, labelPairs, new SuppliedCounter(total));
  }

  /** A level, read when asked for; {@code level} is called by any thread. */
  public void gauge(String name, String help, LongSupplier level, String... labelPairs) {
    replace(Kind.GAUGE, name, help, labelPairs, (Gauge<Number>) level::getAsLong);
  }

  /** A level with a fraction, read when asked for; {@code level} is called by any thread. */
  public void gauge(String name, String help, DoubleSupplier level, String... labelPairs) {
    replace(Kind.GAUGE, name, help, labelPairs, (Gauge<Number>) level::getAsDouble);
  }

  /**
   * How long something took, counted elsewhere and read when asked for, by any thread; the name
   * ends with {@code _seconds}.
   */
  public void histogram(
      String name, String help, Supplier<Durations> durations, String... labelPairs) {
    replace(Kind.HISTOGRAM, name, help, labelPairs, (Gauge<Durations>) durations::get);
  }

  /** Forgets one series. */
  public void remove(String name, String... labelPairs) {
    series.computeIfPresent(
        key(name, labelNames(labelPairs), labelValues(labelPairs)),
        (key, gone) -> {
          registry.remove(key);
          return null;
        });
  }

  /** The Prometheus text of all series, families in the order of their names, suffixes aside. */
  public byte[] prometheusText() {
    return PrometheusText.of(series());
  }

  Collection<Series> series() {
    return series.values();
  }

  private void replace(Kind kind, String name, String help, String[] labelPairs, Metric fresh) {
    put(kind, name, help, labelPairs, fresh, true);
  }

  private Metric put(
      Kind kind, String name, String help, String[] labelPairs, Metric fresh, boolean isReplacing) {
    Family family = family(kind, name, help, labelNames(labelPairs));
    List<String> values = labelValues(labelPairs);
    Series kept =
        series.compute(
            key(name, family.labelNames(), values),
            (key, old) -> {
              if (old != null && !isReplacing) {
                return old;
              }
              registry.remove(key);
              registry.register(key, fresh);
              return new Series(family, values, fresh);
            });
    return kept.metric();
  }

  private Family family(Kind kind, String name, String help, List<String> labelNames) {
    Check.that(name.matches("[a-z][a-z0-9_]*"), "a metric's name is lower-case with underscores");
    Check.that(
        (kind == Kind.COUNTER) == name.endsWith(TOTAL), "totals, and only totals, end with _total");
    Check.that(!help.isBlank(), "a metric has a help text");
    Family family = new Family(name, kind, help, labelNames);
    // The text's writer knows x, x_total and x_info by the one name x, and would refuse every
    // scrape with two of them.
    Family known = families.putIfAbsent(SUFFIX.matcher(name).replaceFirst(""), family);
    Check.that(
        known == null || known.equals(family),
        "all series of a name have the same kind, help and labels");
    return family;
  }

  private static List<String> labelNames(String[] labelPairs) {
    Check.that(labelPairs.length % 2 == 0, "labels and values come in pairs");
    return every(labelPairs, 0);
  }

  private static List<String> labelValues(String[] labelPairs) {
    return every(labelPairs, 1);
  }

  private static List<String> every(String[] labelPairs, int first) {
    List<String> every = new ArrayList<>(labelPairs.length / 2);
    for (int i = first; i < labelPairs.length; i += 2) {
      every.add(labelPairs[i]);
    }
    return List.copyOf(every);
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

  /** A Counter to whoever reads the registry, counted elsewhere. */
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
