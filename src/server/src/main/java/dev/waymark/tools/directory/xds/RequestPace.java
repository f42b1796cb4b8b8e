package dev.waymark.tools.directory.xds;

import java.util.concurrent.TimeUnit;

/** How fast the requests of a stream are read. No I/O; confined to the event loop. */
final class RequestPace {
  private static final long BURST_NS = TimeUnit.SECONDS.toNanos(10);

  private final long intervalNs;

  /** When a client that sends at the permitted rate would have come so far. */
  private long dueNs;

  RequestPace(int perSecond, long nowNs) {
    this.intervalNs = TimeUnit.SECONDS.toNanos(1) / perSecond;
    this.dueNs = nowNs - BURST_NS;
  }

  /** A request was read. Returns how long to wait before the next is read; 0: not at all. */
  long afterRequestNs(long nowNs) {
    long earliestNs = nowNs - BURST_NS;
    dueNs = (dueNs - earliestNs < 0 ? earliestNs : dueNs) + intervalNs;
    return Math.max(0, dueNs - nowNs);
  }
}
