package dev.waymark.upstreams.control;

import dev.waymark.engine.base.LoopTime;

/**
 * Tells whether the control thread stood still during an operation: if the operation timed out, the
 * thread itself may be the reason. Confined to the control thread.
 */
public final class StandstillCheck {
  private final LoopTime time;
  private final long beforeNs;

  /** Creates a check at the start of an operation. */
  public StandstillCheck(LoopTime time) {
    this.time = time;
    this.beforeNs = readNs();
  }

  /** Whether the thread has stood still since then. */
  public boolean hasStoodStill() {
    return readNs() != beforeNs;
  }

  private long readNs() {
    // A standstill is detected by the first read of the time after it.
    time.nowNs();
    return time.standstillNs();
  }
}
