package dev.waymark.upstream;

import io.netty.util.concurrent.Ticker;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.slf4j.Logger;

/** Logs why connections were closed because of a flood, at most once per second. Thread-safe. */
final class FloodLog implements Consumer<String> {
  private static final long INTERVAL_NS = TimeUnit.SECONDS.toNanos(1);

  private final Logger log;
  private final Ticker ticker;
  private final AtomicLong nextNs;
  private final AtomicLong suppressed = new AtomicLong();

  FloodLog(Logger log, Ticker ticker) {
    this.log = log;
    this.ticker = ticker;
    this.nextNs = new AtomicLong(ticker.nanoTime());
  }

  @Override
  public void accept(String why) {
    long nowNs = ticker.nanoTime();
    long dueNs = nextNs.get();
    if (nowNs - dueNs >= 0 && nextNs.compareAndSet(dueNs, nowNs + INTERVAL_NS)) {
      log.warn("closed a connection: {} (suppressed: {})", why, suppressed.getAndSet(0));
    } else {
      suppressed.incrementAndGet();
    }
  }
}
