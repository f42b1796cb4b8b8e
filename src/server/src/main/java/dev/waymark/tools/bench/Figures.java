package dev.waymark.tools.bench;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Locale;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramIterationValue;

/** Formats results as JSON. Stateless. */
public final class Figures {
  private static final double[] PERCENTILES = {50, 90, 99, 99.9, 99.99};

  /** How many percentiles the histogram has per halving of the distance to 100 %. */
  private static final int PERCENTILE_STEPS = 5;

  private static final double SECOND_NS = 1e9;
  private static final double MICROSECOND_NS = 1e3;

  private Figures() {}

  /**
   * Returns one line of JSON with everything.
   *
   * @param version the version of this program
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
    if (result.tls() != null) {
      all.add("tls", new Gson().toJsonTree(result.tls()));
    }
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
    all.add("intervals", intervals(result));
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
    json.addProperty("tls", options.tls().name().toLowerCase(Locale.ROOT));
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
      String name = "p" + (percentile % 1 == 0 ? "" + (int) percentile : "" + percentile);
      json.addProperty(
          name, isEmpty ? 0 : histogram.getValueAtPercentile(percentile) / MICROSECOND_NS);
    }
    json.addProperty("max", isEmpty ? 0 : histogram.getMaxValue() / MICROSECOND_NS);
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

  private static JsonArray intervals(Result result) {
    JsonArray all = new JsonArray();
    for (Interval interval : result.intervals()) {
      JsonObject json = new JsonObject();
      json.addProperty("atSeconds", Math.round(interval.atSeconds() * 1e3) / 1e3);
      json.addProperty("requestsPerSecond", rounded(interval.requestsPerSecond()));
      json.addProperty("warmup", interval.isWarmup(result.options()));
      json.addProperty("p99Us", interval.p99Ns() / MICROSECOND_NS);
      all.add(json);
    }
    return all;
  }

  private static double rounded(double value) {
    return Math.round(value * 10) / 10.0;
  }
}
