package dev.waymark.tools.stub;

import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
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

  private record Waiting(Runnable answer, long costBytes) {}

  private final ScheduledExecutorService scheduler;
  private final LongSupplier nanoClock;

  /**
   * @param scheduler of one thread
   */
  Delays(ScheduledExecutorService scheduler, LongSupplier nanoClock) {
    this.scheduler = scheduler;
    this.nanoClock = nanoClock;
  }

  Line newLine() {
    return new Line();
  }

  /**
   * The answers of one connection: none overtakes another. {@code after} is confined to the
   * connection's lane.
   */
  final class Line {
    private final AtomicLong waitingBytes = new AtomicLong();
    private final Queue<Waiting> waiting = new ConcurrentLinkedQueue<>();
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
      waiting.add(new Waiting(answer, costBytes));
      var _ = scheduler.schedule(this::runNext, lastDueNs - nowNs, TimeUnit.NANOSECONDS);
      return true;
    }

    /**
     * The scheduler reads the clock again, so that of two that are due at the same time the second
     * may come up first: whichever comes up, the one that waits longest is run.
     */
    private void runNext() {
      Waiting next = waiting.remove();
      try {
        next.answer().run();
      } catch (RuntimeException refused) {
        log.warn("a delayed answer was refused: {}", refused.getMessage());
      } finally {
        waitingBytes.addAndGet(-next.costBytes());
      }
    }
  }
}
