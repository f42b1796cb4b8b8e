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

/** Delays replies. Thread-safe. */
final class Delays {
  private static final Logger log = LoggerFactory.getLogger(Delays.class);

  /** What a waiting reply costs in addition to its bytes. */
  private static final int OVERHEAD_BYTES = 128;

  /** The limit on the waiting replies of one connection, including the overhead of each. */
  private static final long WAITING_BYTES_MAX = 16L * 1024 * 1024;

  private record Waiting(Runnable reply, long costBytes) {}

  private final ScheduledExecutorService scheduler;
  private final LongSupplier clock;

  /**
   * @param scheduler must have a single thread
   */
  Delays(ScheduledExecutorService scheduler, LongSupplier clock) {
    this.scheduler = scheduler;
    this.clock = clock;
  }

  ReplyQueue newQueue() {
    return new ReplyQueue();
  }

  /**
   * The delayed replies of one connection, which never overtake each other. {@link #schedule} is
   * confined to the connection's lane.
   */
  final class ReplyQueue {
    private final AtomicLong waitingBytes = new AtomicLong();
    private final Queue<Waiting> waiting = new ConcurrentLinkedQueue<>();
    private long lastDueNs = Long.MIN_VALUE;

    /**
     * Runs a reply after the delay and after all replies before it: at once without a delay if none
     * is waiting.
     *
     * @return false if too much is waiting; the reply is dropped
     */
    boolean schedule(Duration delay, int bytes, Runnable reply) {
      if (delay.isZero() && waitingBytes.get() == 0) {
        reply.run();
        return true;
      }
      long costBytes = (long) OVERHEAD_BYTES + bytes;
      if (waitingBytes.addAndGet(costBytes) > WAITING_BYTES_MAX) {
        waitingBytes.addAndGet(-costBytes);
        return false;
      }
      long nowNs = clock.getAsLong();
      long dueNs = nowNs + delay.toNanos();
      lastDueNs = lastDueNs == Long.MIN_VALUE || dueNs - lastDueNs > 0 ? dueNs : lastDueNs;
      waiting.add(new Waiting(reply, costBytes));
      var _ = scheduler.schedule(this::runNext, lastDueNs - nowNs, TimeUnit.NANOSECONDS);
      return true;
    }

    /**
     * Runs the reply that has waited longest, whichever task fires: the scheduler reads the clock
     * itself, so of two replies due at the same time the second task may fire first.
     */
    private void runNext() {
      Waiting next = waiting.remove();
      try {
        next.reply().run();
      } catch (RuntimeException failed) {
        log.warn("a delayed reply failed: {}", failed.getMessage());
      } finally {
        waitingBytes.addAndGet(-next.costBytes());
      }
    }
  }
}
