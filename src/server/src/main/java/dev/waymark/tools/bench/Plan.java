package dev.waymark.tools.bench;

import java.util.function.LongSupplier;

/**
 * What all workers share in a run. Thread-safe.
 *
 * @param clock monotonic, in nanoseconds
 */
record Plan(BenchOptions options, Payload payload, Sizes sizes, Tally tally, LongSupplier clock) {
  long nowNs() {
    return clock.getAsLong();
  }

  /** The upper bound of the connection numbers in use. */
  int numbers() {
    return options.mode() == BenchOptions.Mode.CONNECT_BURST
        ? 1 << Payload.NUMBER_BITS
        : options.connections();
  }
}
