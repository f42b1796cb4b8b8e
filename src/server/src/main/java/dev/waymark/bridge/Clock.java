package dev.waymark.bridge;

/** The one place that reads the time. Thread-safe. */
public final class Clock {
  private Clock() {}

  /** Monotonic, in nanoseconds; only differences mean something. */
  public static long nowNs() {
    return System.nanoTime();
  }

  /** The wall clock, in milliseconds since 1970. */
  public static long nowUnixMs() {
    return System.currentTimeMillis();
  }
}
