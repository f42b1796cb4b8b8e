package dev.waymark.cli.bench;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramIterationValue;

/** How results look, for people and for programs. No state. */
public final class Report {
  private static final double[] PERCENTILES = {50, 90, 99, 99.9, 99.99, 100};

  /** Steps of the percentiles, for each halving of the distance to 100 %. */
  private static final int PERCENTILE_STEPS = 5;

  private static final double SECOND_NS = 1e9;
  private static final double MICROSECOND_NS = 1e3;

  private Report() {}

  // --- people ---

  /** One line while it runs. */
  static String progress(BenchOptions options, Interval interval, Tally tally) {
    return format(
        "%5.0f s%s  %,11.0f %s/s   p99 %9s   %,d open, %,d errors",
        interval.atSeconds(),
        interval.atSeconds() <= options.warmupSeconds() ? " (warm-up)" : "",
        interval.requestsPerSecond(),
        unit(options),
        micros(interval.p99Ns()),
        tally.open(),
        tally.counts().errors());
  }

  /** The table at the end. */
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
        "%,d connections, those to begin with in %.2f s; open at the end: %,d",
        counts.connected(),
        result.connectSeconds(),
        result.openAtEnd());
    lines.add("");
    lines.add(format("  %-18s %10s %10s %10s %10s %10s %10s", "", "p50", "p90", "p99", "p99.9", "p99.99", "max"));
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
      row(lines, "not sent", "%,d were due, but those before them were not answered", counts.unsent());
    }
    row(lines, "CPU of this", "%.2f s (%s, %d threads)", result.cpuNs() / SECOND_NS, result.transport(), result.options().threads());
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
          "%,.0f for each CPU-second of these processes",
          result.requests() / result.processCpuSeconds());
    }
  }

  private static String title(BenchOptions options) {
    String sizes = String.join(", ", options.sizes().stream().map(size -> size + " B").toList());
    String pace =
        options.isPaced() ? format("%,.0f/s", options.rate()) : "as fast as replies come";
    return switch (options.mode()) {
      case LOAD ->
          format(
              "%s over %,d connections, %d under way on each, %s",
              sizes, options.connections(), options.window(), pace);
      case STORM ->
          format("connect, %s, close: %,d at a time, %s", sizes, options.connections(), pace);
      case IDLE ->
          format("%,d idle connections, one request of %s each at the end", options.connections(), sizes);
    };
  }

  private static String unit(BenchOptions options) {
    return options.mode() == BenchOptions.Mode.STORM ? "connections" : "requests";
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

  // --- programs ---

  /**
   * One line of JSON with everything.
   *
   * @param version of this program
   */
  public static String json(Result result, String version, long endUnixMs) {
    JsonObject all = new JsonObject();
    all.addProperty("label", result.options().label());
    all.addProperty("version", version);
    all.addProperty("java", System.getProperty("java.runtime.version"));
    all.addProperty("os", System.getProperty("os.name") + " " + System.getProperty("os.version"));
    all.addProperty("cores", Runtime.getRuntime().availableProcessors());
    all.addProperty("endUnixMs", endUnixMs);
    all.addProperty("exitCode", result.exitCode());
    all.add("options", options(result.options()));
    all.addProperty("seconds", result.seconds());
    all.addProperty("requests", result.requests());
    all.addProperty("requestsPerSecond", rounded(result.requestsPerSecond()));
    all.addProperty("bytes", result.counts().bytes());
    all.add("latencyUs", percentiles(result.latency()));
    all.add("connectUs", percentiles(result.connects()));
    all.add("connections", connections(result));
    all.addProperty("wrong", result.counts().wrong());
    all.addProperty("unanswered", result.counts().unanswered());
    all.addProperty("unsent", result.counts().unsent());
    all.add("failures", new Gson().toJsonTree(result.failures()));
    JsonObject generator = new JsonObject();
    generator.addProperty("cpuSeconds", result.cpuNs() / SECOND_NS);
    generator.addProperty("transport", result.transport());
    all.add("generator", generator);
    all.add("processes", processes(result));
    all.addProperty("processCpuSeconds", result.processCpuSeconds());
    all.addProperty(
        "requestsPerCpuSecond",
        result.processCpuSeconds() > 0
            ? rounded(result.requests() / result.processCpuSeconds())
            : 0);
    all.add("intervals", intervals(result.intervals()));
    all.add("histogram", histogram(result.latency()));
    return all.toString();
  }

  private static JsonObject options(BenchOptions options) {
    JsonObject json = new JsonObject();
    json.addProperty("mode", options.mode().name().toLowerCase(Locale.ROOT));
    JsonArray targets = new JsonArray();
    for (InetSocketAddress target : options.targets()) {
      targets.add(target.getAddress().getHostAddress() + ":" + target.getPort());
    }
    json.add("targets", targets);
    json.addProperty("connections", options.connections());
    json.add("sizes", new Gson().toJsonTree(options.sizes()));
    json.addProperty("window", options.window());
    json.addProperty("rate", options.rate());
    json.addProperty("seconds", options.seconds());
    json.addProperty("warmupSeconds", options.warmupSeconds());
    JsonArray sources = new JsonArray();
    options.sources().stream().map(InetAddress::getHostAddress).forEach(sources::add);
    json.add("sources", sources);
    json.addProperty("reset", options.isReset());
    json.addProperty("threads", options.threads());
    json.addProperty("intervalMs", options.intervalMs());
    return json;
  }

  private static JsonObject connections(Result result) {
    JsonObject json = new JsonObject();
    json.addProperty("asked", result.options().connections());
    json.addProperty("connected", result.counts().connected());
    json.addProperty("refused", result.counts().refused());
    json.addProperty("lost", result.counts().lost());
    json.addProperty("openAtEnd", result.openAtEnd());
    json.addProperty("connectSeconds", result.connectSeconds());
    return json;
  }

  private static JsonObject percentiles(Histogram histogram) {
    JsonObject json = new JsonObject();
    boolean isEmpty = histogram.getTotalCount() == 0;
    json.addProperty("count", histogram.getTotalCount());
    json.addProperty("mean", isEmpty ? 0 : rounded(histogram.getMean() / MICROSECOND_NS));
    json.addProperty("min", isEmpty ? 0 : histogram.getMinValue() / MICROSECOND_NS);
    for (double percentile : PERCENTILES) {
      String name = percentile == 100 ? "max" : "p" + (percentile % 1 == 0 ? "" + (int) percentile : "" + percentile);
      json.addProperty(
          name, isEmpty ? 0 : histogram.getValueAtPercentile(percentile) / MICROSECOND_NS);
    }
    return json;
  }

  /** Pairs of percentile and microseconds. */
  private static JsonArray histogram(Histogram histogram) {
    JsonArray points = new JsonArray();
    if (histogram.getTotalCount() > 0) {
      for (HistogramIterationValue value : histogram.percentiles(PERCENTILE_STEPS)) {
        JsonArray point = new JsonArray();
        point.add(Math.round(value.getPercentileLevelIteratedTo() * 1e5) / 1e5);
        point.add(value.getValueIteratedTo() / MICROSECOND_NS);
        points.add(point);
      }
    }
    return points;
  }

  private static JsonArray processes(Result result) {
    JsonArray all = new JsonArray();
    for (Result.Used used : result.processes()) {
      JsonObject json = new JsonObject();
      json.addProperty("pid", used.pid());
      json.addProperty("cpuSeconds", used.cpuNs() / SECOND_NS);
      json.addProperty("rssBytes", used.rssBytes());
      all.add(json);
    }
    return all;
  }

  private static JsonArray intervals(List<Interval> intervals) {
    JsonArray all = new JsonArray();
    for (Interval interval : intervals) {
      JsonObject json = new JsonObject();
      json.addProperty("atSeconds", Math.round(interval.atSeconds() * 1e3) / 1e3);
      json.addProperty("requestsPerSecond", rounded(interval.requestsPerSecond()));
      json.addProperty("p99Us", interval.p99Ns() / MICROSECOND_NS);
      all.add(json);
    }
    return all;
  }

  private static double rounded(double value) {
    return Math.round(value * 10) / 10.0;
  }
}
