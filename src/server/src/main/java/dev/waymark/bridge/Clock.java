package dev.waymark.bridge;

import java.time.Instant;

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

  /** Wall-clock time, with a precision of milliseconds. */
  public static Instant now() {
    return Instant.ofEpochMilli(nowUnixMs());
  }
}
