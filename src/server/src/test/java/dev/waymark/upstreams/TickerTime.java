package dev.waymark.upstreams;

import dev.waymark.engine.base.LoopTime;
import io.netty.channel.EventLoop;

/** The time of a loop that never stands still. */
record TickerTime(EventLoop loop) implements LoopTime {
  @Override
  public long nowNs() {
    return loop.ticker().nanoTime();
  }

  @Override
  public long standstillNs() {
    return 0;
  }
}
