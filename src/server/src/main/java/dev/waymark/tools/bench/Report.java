package dev.waymark.tools.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.HdrHistogram.Histogram;

/** Formats results as text. Stateless. */
public final class Report {
  private static final double[] PERCENTILES = {50, 90, 99, 99.9, 99.99, 100};

  private static final double SECOND_NS = 1e9;
  private static final double MICROSECOND_NS = 1e3;

  private Report() {}

  /** A line of progress. */
  static String progress(BenchOptions options, Interval interval, Tally tally) {
    return format(
        "%5.0f s%s  %,11.0f %s/s   p99 %9s   %,d open, %,d errors",
        interval.atSeconds(),
        interval.isWarmup(options) ? " (warm-up)" : "",
        interval.requestsPerSecond(),
        unit(options),
        micros(interval.p99Ns()),
        tally.open(),
        tally.counts().errors());
  }

  /** The final table. */
  public static List<String> table(Result result) {
    List<String> lines = new ArrayList<>();
    lines.add(title(result.options()));
    if (result.options().mode() == BenchOptions.Mode.IDLE) {
      row(lines, "alive at the end", "%,d of %,d", result.requests(), result.counts().connected());
    } else {
      row(
          lines,
          unit(result.options()),
          "%,d in %.2f s, %,.0f/s, %,.2f MB/s each way",
          result.requests(),
          result.seconds(),
          result.requestsPerSecond(),
          result.seconds() > 0 ? result.counts().bytes() / result.seconds() / 1e6 : 0);
    }
    Tally.Counts counts = result.counts();
    row(
        lines,
        "opened",
        "%,d connections, the initial ones in %.2f s; open at the end: %,d",
        counts.connected(),
        result.connectSeconds(),
        result.openAtEnd());
    Result.Tls tls = result.tls();
    if (tls != null) {
      row(
          lines,
          "TLS",
          "%s, %,d handshakes, %,d of them resumed",
          tls.negotiated().isEmpty() ? "nothing negotiated" : tls.negotiated(),
          tls.handshakes(),
          tls.resumed());
    }
    lines.add("");
    lines.add(
        format(
            "  %-18s %10s %10s %10s %10s %10s %10s",
            "", "p50", "p90", "p99", "p99.9", "p99.99", "max"));
    lines.add(latency("latency", result.latency()));
    lines.add(latency("connecting", result.connects()));
    lines.add("");
    row(
        lines,
        "errors",
        "%,d wrong, %,d lost, %,d refused, %,d unanswered",
        counts.wrong(),
        counts.lost(),
        counts.refused(),
        counts.unanswered());
    result.failures().forEach(each -> lines.add("    " + each));
    if (counts.unsent() > 0) {
      row(
          lines,
          "not sent",
          "%,d were due, but earlier ones on their connections were not answered",
          counts.unsent());
    }
    row(
        lines,
        "CPU of bench",
        "%.2f s (%s, %d threads)",
        result.cpuNs() / SECOND_NS,
        result.transport(),
        result.options().threads());
    processes(lines, result);
    return lines;
  }

  private static void processes(List<String> lines, Result result) {
    for (Result.Used used : result.processes()) {
      row(
          lines,
          "process " + used.pid(),
          "%.2f s of CPU, %,.1f MiB of memory",
          used.cpuNs() / SECOND_NS,
          used.rssBytes() / 1048576.0);
    }
    if (result.processCpuSeconds() > 0) {
      row(
          lines,
          unit(result.options()),
          "%,.0f per CPU-second of these processes",
          result.requests() / result.processCpuSeconds());
    }
  }

  private static String title(BenchOptions options) {
    String sizes = String.join(", ", options.sizes().stream().map(size -> size + " B").toList());
    String pace = options.isPaced() ? format("%,.0f/s", options.rate()) : "as fast as replies come";
    return switch (options.mode()) {
      case LOAD ->
          format(
              "%s over %,d connections, %d in flight on each, %s",
              sizes, options.connections(), options.window(), pace);
      case CONNECT_BURST ->
          format("connect, %s, close: %,d at a time, %s", sizes, options.connections(), pace);
      case IDLE ->
          format(
              "%,d idle connections, one request of %s each at the end",
              options.connections(), sizes);
    };
  }

  private static String unit(BenchOptions options) {
    return options.mode() == BenchOptions.Mode.CONNECT_BURST ? "connections" : "requests";
  }

  private static void row(List<String> lines, String name, String pattern, Object... values) {
    lines.add(format("  %-18s %s", name, format(pattern, values)));
  }

  private static String latency(String name, Histogram histogram) {
    StringBuilder line = new StringBuilder(format("  %-18s", name));
    for (double percentile : PERCENTILES) {
      long ns = histogram.getTotalCount() == 0 ? 0 : histogram.getValueAtPercentile(percentile);
      line.append(format(" %10s", micros(ns)));
    }
    return line.toString();
  }

  private static String micros(long ns) {
    return ns < 10_000_000
        ? format("%,.0f us", ns / MICROSECOND_NS)
        : format("%,.1f ms", ns / MICROSECOND_NS / 1e3);
  }

  private static String format(String pattern, Object... values) {
    return String.format(Locale.ROOT, pattern, values);
  }
}
