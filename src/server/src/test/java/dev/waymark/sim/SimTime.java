package dev.waymark.sim;

import dev.waymark.engine.base.LoopClock;

/**
 * The virtual time of a run: that of the world, and that of the bridge, whose {@link LoopClock} has
 * to exclude the time in which the bridge stood still.
 */
final class SimTime {
  private final LoopClock clock;
  private final boolean isChargingStandstills;
  private long worldNs;
  private long awakeNs;
  private long nowNs;

  /**
   * @param isChargingStandstills a defect: the shard's time continues during standstills
   */
  SimTime(long startNs, boolean isChargingStandstills, LoopClock.Listener listener) {
    this.clock = new LoopClock(listener);
    this.isChargingStandstills = isChargingStandstills;
    this.worldNs = startNs;
    this.awakeNs = startNs;
    clock.start(startNs);
    read();
  }

  /** Advances the time while the bridge runs. */
  void pass(long ns) {
    for (long left = ns; left > 0; left -= LoopClock.TICK_NS) {
      long part = Math.min(left, LoopClock.TICK_NS);
      worldNs += part;
      awakeNs += part;
      read();
    }
  }

  /** Advances the time while the bridge stands still: for the bridge it counts as one tick. */
  void standStill(long ns) {
    worldNs += ns;
    awakeNs += LoopClock.TICK_NS;
    read();
  }

  /** The time as the shards see it. */
  long nowNs() {
    return nowNs;
  }

  /** The time in which the bridge was running, as the checkers count it. */
  long awakeNs() {
    return awakeNs;
  }

  /** Whether timers of shards may fire now: right after a standstill they wait one tick. */
  boolean isDeadlineTime() {
    return isChargingStandstills || !clock.isDeferringDeadlines();
  }

  private void read() {
    nowNs = isChargingStandstills ? worldNs : clock.nowNs(worldNs);
  }
}
