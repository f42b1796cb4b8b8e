package dev.waymark.telemetry;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Gauge;
import dev.waymark.telemetry.Metrics.Durations;
import dev.waymark.telemetry.Metrics.Family;
import dev.waymark.telemetry.Metrics.Series;
import io.prometheus.metrics.config.EscapingScheme;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot.InfoDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricMetadata;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/** Formats the registry's series as Prometheus text, version 0.0.4. Stateless. */
public final class PrometheusText {
  public static final String CONTENT_TYPE = PrometheusTextFormatWriter.CONTENT_TYPE;

  private static final String TOTAL = "_total";
  private static final String INFO = "_info";
  private static final double SECONDS_PER_NS = 1e-9;
  private static final double NS_PER_SECOND = 1e9;
  private static final PrometheusTextFormatWriter WRITER = PrometheusTextFormatWriter.create();

  private PrometheusText() {}

  static byte[] of(Collection<Series> series) {
    Map<String, List<Series>> families = new TreeMap<>();
    for (Series item : series) {
      families.computeIfAbsent(item.family().name(), name -> new ArrayList<>()).add(item);
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      WRITER.write(
          out,
          new MetricSnapshots(families.values().stream().map(PrometheusText::snapshot).toList()),
          EscapingScheme.UNDERSCORE_ESCAPING);
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory failed", e);
    }
    return out.toByteArray();
  }

  private static MetricSnapshot snapshot(List<Series> series) {
    Family family = series.getFirst().family();
    double unit = family.name().endsWith("_seconds_total") ? SECONDS_PER_NS : 1;
    return switch (family.kind()) {
      case COUNTER ->
          new CounterSnapshot(
              metadata(family, TOTAL), points(series, item -> counterPoint(item, unit)));
      case GAUGE ->
          family.name().endsWith(INFO)
              ? new InfoSnapshot(
                  metadata(family, INFO),
                  points(series, item -> new InfoDataPointSnapshot(labels(item))))
              : new GaugeSnapshot(metadata(family, ""), points(series, PrometheusText::gaugePoint));
      case HISTOGRAM ->
          new HistogramSnapshot(
              metadata(family, ""), points(series, PrometheusText::histogramPoint));
    };
  }

  /** Skips series whose reader fails: one bad series must not fail the whole scrape. */
  private static <T> List<T> points(List<Series> series, Function<Series, T> point) {
    List<T> points = new ArrayList<>(series.size());
    for (Series item : series) {
      try {
        points.add(point.apply(item));
      } catch (RuntimeException e) {
        continue;
      }
    }
    return points;
  }

  private static CounterDataPointSnapshot counterPoint(Series item, double unit) {
    long count = ((Counter) item.metric()).getCount();
    return CounterDataPointSnapshot.builder().value(count * unit).labels(labels(item)).build();
  }

  private static GaugeDataPointSnapshot gaugePoint(Series item) {
    Number level = (Number) ((Gauge<?>) item.metric()).getValue();
    return GaugeDataPointSnapshot.builder().value(level.doubleValue()).labels(labels(item)).build();
  }

  private static HistogramDataPointSnapshot histogramPoint(Series item) {
    Durations durations = (Durations) ((Gauge<?>) item.metric()).getValue();
    ClassicHistogramBuckets.Builder buckets = ClassicHistogramBuckets.builder();
    long[] counts = durations.counts();
    for (int i = 0; i < counts.length; i++) {
      boolean isLast = i == durations.boundsNs().length;
      double bound = isLast ? Double.POSITIVE_INFINITY : durations.boundsNs()[i] / NS_PER_SECOND;
      buckets.bucket(bound, counts[i]);
    }
    return HistogramDataPointSnapshot.builder()
        .classicHistogramBuckets(buckets.build())
        .sum(durations.sumNs() / NS_PER_SECOND)
        .labels(labels(item))
        .build();
  }

  /** Removes the suffix of the kind, which the writer adds again. */
  private static MetricMetadata metadata(Family family, String suffix) {
    String name = family.name();
    return new MetricMetadata(name.substring(0, name.length() - suffix.length()), family.help());
  }

  private static Labels labels(Series item) {
    return Labels.of(item.family().labelNames(), item.labelValues());
  }
}
