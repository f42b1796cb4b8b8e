package dev.waymark.bridge;

/**
 * The clocks of the bridge; only {@code api.http} and {@code Pacer} have their own. Thread-safe.
 */
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
