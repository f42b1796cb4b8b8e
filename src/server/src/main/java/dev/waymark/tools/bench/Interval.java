package dev.waymark.tools.bench;

/**
 * What one line of progress says.
 *
 * @param atSeconds its end, from the first request
 */
record Interval(double atSeconds, double seconds, long requests, long p99Ns) {
  /** Whether most of it is before what is measured. */
  boolean isWarmup(BenchOptions options) {
    return atSeconds - seconds / 2 < options.warmupSeconds();
  }

  double requestsPerSecond() {
    return seconds > 0 ? requests / seconds : 0;
  }
}
