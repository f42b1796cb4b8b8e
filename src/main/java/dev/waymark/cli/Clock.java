package dev.waymark.cli;

/** The one place that reads the time. Thread-safe. */
final class Clock {
  private Clock() {}

  /** Monotonic, in nanoseconds; only differences mean something. */
  static long nowNs() {
    return System.nanoTime();
  }

  /** The wall clock, in milliseconds since 1970. */
  static long nowUnixMs() {
    return System.currentTimeMillis();
  }
}
