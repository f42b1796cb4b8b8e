package dev.waymark.tools.bench;

import java.util.List;
import org.HdrHistogram.Histogram;

/**
 * What was measured. Immutable, but for the histograms, which nobody changes any more.
 *
 * @param seconds how long was measured, less than asked for if it was stopped
 * @param connectSeconds until all were connected
 * @param openAtEnd connections that were still there when it was over
 * @param latency in nanoseconds, of all requests that were answered, and of those that were not but
 *     should have been, with the time they had waited
 * @param connects how long connecting took, in nanoseconds
 * @param cpuNs what this process used in the measured time
 */
public record Result(
    BenchOptions options,
    String transport,
    double seconds,
    double connectSeconds,
    long openAtEnd,
    Tally.Counts counts,
    Histogram latency,
    Histogram connects,
    List<Interval> intervals,
    List<String> failures,
    long cpuNs,
    List<Used> processes) {
  /**
   * What another process used, in the measured time unless said otherwise.
   *
   * @param cpuNs -1 if it is gone
   * @param rssBytes at the end
   */
  public record Used(long pid, long cpuNs, long rssBytes) {}

  /** 0; 1 if a byte was wrong, or a connection lost or refused, or a request not answered. */
  public int exitCode() {
    return counts.errors() == 0 ? 0 : 1;
  }

  long requests() {
    return counts.answered();
  }

  double requestsPerSecond() {
    return seconds > 0 ? requests() / seconds : 0;
  }

  /** Of the processes that were named, all together; 0 if there are none. */
  double processCpuSeconds() {
    return processes.stream().mapToLong(each -> Math.max(0, each.cpuNs())).sum() / 1e9;
  }
}
