package dev.waymark.tools.bench;

/**
 * The figures in one line of progress.
 *
 * @param atSeconds the end of the interval, counted from the first request
 */
record Interval(double atSeconds, double seconds, long requests, long p99Ns) {
  /** Whether most of the interval is warm-up. */
  boolean isWarmup(BenchOptions options) {
    return atSeconds - seconds / 2 < options.warmupSeconds();
  }

  double requestsPerSecond() {
    return seconds > 0 ? requests / seconds : 0;
  }
}
