package dev.waymark.upstream.stub;

import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers that wait. Thread-safe. */
final class Delays {
  private static final Logger log = LoggerFactory.getLogger(Delays.class);

  /** What one waiting answer costs beside its bytes. */
  private static final int OVERHEAD_BYTES = 128;

  /** Waiting answers of one connection, each with its overhead. */
  private static final long WAITING_BYTES_MAX = 16L * 1024 * 1024;

  private final ScheduledExecutorService scheduler;
  private final LongSupplier nanoClock;

  /**
   * @param scheduler of one thread, so that what is due at the same time keeps its order
   */
  Delays(ScheduledExecutorService scheduler, LongSupplier nanoClock) {
    this.scheduler = scheduler;
    this.nanoClock = nanoClock;
  }

  Line newLine() {
    return new Line();
  }

  /**
   * The answers of one connection: none overtakes another. `after` is confined to the connection's
   * lane.
   */
  final class Line {
    private final AtomicLong waitingBytes = new AtomicLong();
    private long lastDueNs = Long.MIN_VALUE;

    /**
     * Runs it when the delay is over and all before it have run: at once, where nothing waits.
     * False: too much waits.
     */
    boolean after(Duration delay, int bytes, Runnable answer) {
      if (delay.isZero() && waitingBytes.get() == 0) {
        answer.run();
        return true;
      }
      long costBytes = (long) OVERHEAD_BYTES + bytes;
      if (waitingBytes.addAndGet(costBytes) > WAITING_BYTES_MAX) {
        waitingBytes.addAndGet(-costBytes);
        return false;
      }
      long nowNs = nanoClock.getAsLong();
      long dueNs = nowNs + delay.toNanos();
      lastDueNs = lastDueNs == Long.MIN_VALUE || dueNs - lastDueNs > 0 ? dueNs : lastDueNs;
      var _ =
          scheduler.schedule(() -> run(answer, costBytes), lastDueNs - nowNs, TimeUnit.NANOSECONDS);
      return true;
    }

    private void run(Runnable answer, long costBytes) {
      try {
        answer.run();
      } catch (RuntimeException refused) {
        log.warn("a delayed answer was refused: {}", refused.getMessage());
      } finally {
        waitingBytes.addAndGet(-costBytes);
      }
    }
  }
}
