package dev.waymark.upstreams;

import java.util.OptionalLong;

/**
 * The slow start of one upstream: its weight rises from a tenth to the whole in only {@link #STEPS}
 * steps, because each step sends a snapshot to every shard. Confined to the control thread.
 */
final class SlowStart {
  static final int STEPS = 10;

  private static final int FIRST_PERCENT = 10;
  private static final int WHOLE_PERCENT = 100;

  private boolean isRising;
  private long startNs;

  void start(long nowNs) {
    isRising = true;
    startNs = nowNs;
  }

  /**
   * Returns the percentage of the weight that applies now.
   *
   * @param durationNs of the whole rise; 0: no slow start
   */
  int percent(long nowNs, long durationNs) {
    long step = step(nowNs, durationNs);
    return (int) (FIRST_PERCENT + (WHOLE_PERCENT - FIRST_PERCENT) * step / STEPS);
  }

  /** Returns when the percentage changes next; empty once it is 100. */
  OptionalLong nextStepNs(long nowNs, long durationNs) {
    long step = step(nowNs, durationNs);
    return step == STEPS
        ? OptionalLong.empty()
        : OptionalLong.of(startNs + (durationNs * (step + 1) + STEPS - 1) / STEPS);
  }

  private long step(long nowNs, long durationNs) {
    if (isRising && nowNs - startNs >= durationNs) {
      isRising = false;
    }
    return isRising ? (nowNs - startNs) * STEPS / durationNs : STEPS;
  }
}
