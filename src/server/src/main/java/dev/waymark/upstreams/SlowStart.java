package dev.waymark.upstreams;

import java.util.OptionalLong;

/**
 * The slow start of one upstream: its weight rises from a tenth to the whole, in {@link #STEPS}
 * steps, since each step is a snapshot for every shard. Confined to the control thread.
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
   * How much of the weight holds now.
   *
   * @param durationNs of the whole rise; 0: none
   */
  int percent(long nowNs, long durationNs) {
    long step = step(nowNs, durationNs);
    return (int) (FIRST_PERCENT + (WHOLE_PERCENT - FIRST_PERCENT) * step / STEPS);
  }

  /** When the percentage changes; empty when it does not any more. */
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
