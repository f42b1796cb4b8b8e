package dev.waymark.bridge;

import dev.waymark.protocol.Check;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Whether the event loops turn. A thread of its own gives each of them a task twice a second; one
 * that has not run its task when the next are due has missed them. It counts what was missed and
 * not the time, so that a pause of the whole process is nobody's fault. Thread-safe.
 */
final class TurnWatch implements AutoCloseable {
  private static final long PERIOD_MS = 500;

  /** So many in a row, and the loop counts as stuck: 5 s. */
  static final int MISSED_MAX = 10;

  private final List<Watched> loops = new CopyOnWriteArrayList<>();
  private final ScheduledThreadPoolExecutor timer =
      new ScheduledThreadPoolExecutor(1, new DefaultThreadFactory("turn-watch", true));

  private static final class Watched {
    final String name;
    final EventLoop loop;
    volatile boolean isDue;
    volatile int missed;

    Watched(String name, EventLoop loop) {
      this.name = name;
      this.loop = loop;
    }

    /** On the watch's thread. */
    void ask() {
      if (isDue) {
        missed++;
        return;
      }
      missed = 0;
      isDue = true;
      try {
        loop.execute(() -> isDue = false);
      } catch (RejectedExecutionException ended) {
        // It stays due.
      }
    }
  }

  /** From now on this loop too; the name is for people. */
  void watch(String name, EventLoop loop) {
    loops.add(new Watched(name, loop));
  }

  void start() {
    Check.that(timer.getQueue().isEmpty(), "started once");
    timer.scheduleWithFixedDelay(this::ask, PERIOD_MS, PERIOD_MS, TimeUnit.MILLISECONDS);
  }

  void ask() {
    loops.forEach(Watched::ask);
  }

  /** What does not turn, as a sentence; empty: all do. */
  Optional<String> stuck() {
    return loops.stream()
        .filter(watched -> watched.missed >= MISSED_MAX)
        .findFirst()
        .map(watched ->
            watched.name + " has not turned for " + watched.missed * PERIOD_MS / 1_000 + " s");
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
