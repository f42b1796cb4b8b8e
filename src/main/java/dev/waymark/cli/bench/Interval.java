package dev.waymark.cli.bench;

/**
 * What one line of progress says.
 *
 * @param atSeconds its end, from the first request
 */
record Interval(double atSeconds, double seconds, long requests, long p99Ns) {
  double requestsPerSecond() {
    return seconds > 0 ? requests / seconds : 0;
  }
}
