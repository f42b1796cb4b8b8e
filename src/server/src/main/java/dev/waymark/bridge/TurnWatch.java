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
 * Checks whether the event loops turn. A thread of its own gives each loop a task twice a second; a
 * loop that has not run its task by the next check has missed it. Counting missed checks rather
 * than time excludes pauses of the whole process. Thread-safe.
 */
final class TurnWatch implements AutoCloseable {
  private static final long PERIOD_MS = 500;

  /** A loop that has missed this many checks in a row, 5 s, counts as stuck. */
  static final int MISSED_MAX = 10;

  private final List<Watched> loops = new CopyOnWriteArrayList<>();
  private final ScheduledThreadPoolExecutor timer =
      new ScheduledThreadPoolExecutor(1, new DefaultThreadFactory("turn-watch", true));

  private static final class Watched {
    final String name;
    final EventLoop loop;
    volatile boolean isTaskPending;
    volatile int missed;

    Watched(String name, EventLoop loop) {
      this.name = name;
      this.loop = loop;
    }

    /** Called on the watch's thread. */
    void check() {
      if (isTaskPending) {
        missed++;
        return;
      }
      missed = 0;
      isTaskPending = true;
      try {
        loop.execute(() -> isTaskPending = false);
      } catch (RejectedExecutionException ended) {
        // The task stays pending, so the loop counts as stuck.
      }
    }
  }

  /** Adds a loop, with a display name. */
  void watch(String name, EventLoop loop) {
    loops.add(new Watched(name, loop));
  }

  void start() {
    Check.that(timer.getQueue().isEmpty(), "a watch can only be started once");
    timer.scheduleWithFixedDelay(this::check, PERIOD_MS, PERIOD_MS, TimeUnit.MILLISECONDS);
  }

  void check() {
    loops.forEach(Watched::check);
  }

  /** Describes the first loop that is stuck; empty if all turn. */
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
