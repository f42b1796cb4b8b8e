package dev.waymark.upstreams;

import dev.waymark.engine.base.LoopTime;

/**
 * Whether the control thread stood still during something: if that timed out, the thread itself may
 * be the reason. Confined to the control thread.
 */
final class StandstillCheck {
  private final LoopTime time;
  private final long beforeNs;

  /** Something begins. */
  StandstillCheck(LoopTime time) {
    this.time = time;
    this.beforeNs = readNs();
  }

  boolean hasStoodStill() {
    return readNs() != beforeNs;
  }

  private long readNs() {
    // Whoever reads the time first after a standstill notices it.
    time.nowNs();
    return time.standstillNs();
  }
}
