package dev.waymark.sim;

import dev.waymark.engine.base.LoopClock;

/**
 * The time of the world, in which the bridge stands still now and then, and what it makes of it.
 */
final class SimTime {
  private final LoopClock clock;
  private final boolean isChargingStandstills;
  private long worldNs;
  private long awakeNs;
  private long nowNs;

  /**
   * @param isChargingStandstills a defect: the shard's time goes on while the shard stands still
   */
  SimTime(long startNs, boolean isChargingStandstills, LoopClock.Listener listener) {
    this.clock = new LoopClock(listener);
    this.isChargingStandstills = isChargingStandstills;
    this.worldNs = startNs;
    this.awakeNs = startNs;
    clock.start(startNs);
    read();
  }

  /** Time passes in which the bridge runs. */
  void pass(long ns) {
    for (long left = ns; left > 0; left -= LoopClock.TICK_NS) {
      long part = Math.min(left, LoopClock.TICK_NS);
      worldNs += part;
      awakeNs += part;
      read();
    }
  }

  /** Time passes in which the bridge stands still: it counts as one tick. */
  void standStill(long ns) {
    worldNs += ns;
    awakeNs += LoopClock.TICK_NS;
    read();
  }

  /** As the shard sees it. */
  long nowNs() {
    return nowNs;
  }

  /** How long the bridge has been running, as the checkers see it. */
  long awakeNs() {
    return awakeNs;
  }

  /** The shard's timer fires: its deadlines are to be looked at. */
  boolean isDeadlineTime() {
    return isChargingStandstills || !clock.isDeferringDeadlines();
  }

  private void read() {
    nowNs = isChargingStandstills ? worldNs : clock.nowNs(worldNs);
  }
}
