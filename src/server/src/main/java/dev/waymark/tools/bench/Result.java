package dev.waymark.tools.bench;

import java.util.List;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * The results of a run. Immutable, except for the histograms, which are no longer modified.
 *
 * @param seconds the measured time, shorter than requested if the run was stopped
 * @param connectSeconds how long it took until all were connected
 * @param openAtEnd how many connections were still open at the end
 * @param latency the latencies in nanoseconds; requests that should have been answered but were not
 *     count with the time that they waited
 * @param connects the connect times in nanoseconds
 * @param tls null without TLS
 * @param cpuNs the CPU time that this process used in the measured time
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
    @Nullable Tls tls,
    long cpuNs,
    List<Used> processes) {
  /**
   * What was negotiated.
   *
   * @param negotiated version and cipher of the first connection; empty if there was none
   * @param handshakes how many were completed in the whole run
   * @param resumed how many of these resumed a session
   */
  public record Tls(String negotiated, long handshakes, long resumed) {}

  /**
   * The resource usage of another process.
   *
   * @param cpuNs CPU time in the measured time, or -1 if the process is gone
   * @param rssBytes resident memory at the end of the measured time
   */
  public record Used(long pid, long cpuNs, long rssBytes) {}

  /** 1 if a byte was wrong, a connection lost or refused, or a request not answered; else 0. */
  public int exitCode() {
    return counts.errors() == 0 ? 0 : 1;
  }

  /** Whether not one connection could be opened, so that nothing was measured. */
  public boolean hasNoConnection() {
    return counts.connected() == 0;
  }

  long requests() {
    return counts.answered();
  }

  double requestsPerSecond() {
    return seconds > 0 ? requests() / seconds : 0;
  }

  /** The CPU time of all observed processes together; 0 if there are none. */
  double processCpuSeconds() {
    return processes.stream().mapToLong(each -> Math.max(0, each.cpuNs())).sum() / 1e9;
  }
}
