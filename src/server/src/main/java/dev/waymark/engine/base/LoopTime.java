package dev.waymark.engine.base;

/** The time of an event loop, for what runs on it. Confined to the loop's thread. */
public interface LoopTime {
  /** As {@link LoopClock#nowNs}: monotonic, in nanoseconds, without the loop's standstills. */
  long nowNs();

  /** As {@link LoopClock#standstillNs}: if it has grown, the loop stood still meanwhile. */
  long standstillNs();
}
