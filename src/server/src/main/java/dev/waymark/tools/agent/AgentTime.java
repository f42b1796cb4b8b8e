package dev.waymark.tools.agent;

import dev.waymark.engine.base.LoopClock;
import dev.waymark.engine.base.LoopTime;
import io.netty.channel.EventLoop;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** The time of the agent's loop, to which it is confined. */
final class AgentTime implements LoopTime {
  private final LoopClock clock = new LoopClock(_ -> {});
  private final LongSupplier monotonicNs;

  AgentTime(LongSupplier monotonicNs) {
    this.monotonicNs = monotonicNs;
  }

  /** Reads the time once per tick until the loop ends. */
  void start(EventLoop loop) {
    clock.start(monotonicNs.getAsLong());
    var _ =
        loop.scheduleWithFixedDelay(
            this::nowNs, LoopClock.TICK_NS, LoopClock.TICK_NS, TimeUnit.NANOSECONDS);
  }

  @Override
  public long nowNs() {
    return clock.nowNs(monotonicNs.getAsLong());
  }

  @Override
  public long standstillNs() {
    return clock.standstillNs();
  }
}
