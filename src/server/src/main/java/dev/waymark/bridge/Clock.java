package dev.waymark.bridge;

/** The only place in the bridge that reads the clock. Thread-safe. */
public final class Clock {
  private Clock() {}

  /** Monotonic time in nanoseconds; only differences are meaningful. */
  public static long nowNs() {
    return System.nanoTime();
  }

  /** Wall-clock time in milliseconds since 1970. */
  public static long nowUnixMs() {
    return System.currentTimeMillis();
  }
}
