package dev.waymark.bridge;

import dev.waymark.telemetry.Event;
import dev.waymark.telemetry.EventLog;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntConsumer;

/**
 * Ends the process when it cannot go on: an {@link Error} has left a shard in a state that nobody
 * knows, or an event loop has ended. A process that is gone is started again; one that limps is
 * not. Thread-safe.
 */
final class Abort {
  /** No memory, in the heap or outside it; the JVM's own code with ExitOnOutOfMemoryError. */
  static final int OUT_OF_MEMORY = 3;

  /** Any other failure that the process cannot survive. */
  static final int BROKEN = 4;

  private final EventLog log;
  private final IntConsumer exit;
  private final AtomicBoolean isBegun = new AtomicBoolean();

  /**
   * @param exit ends the process with a code; the log's last lines are written before
   */
  Abort(EventLog log, IntConsumer exit) {
    this.log = log;
    this.exit = exit;
  }

  /** Something that is not to be caught was thrown in this part. */
  void onError(String where, Throwable error) {
    if (!isBegun.compareAndSet(false, true)) {
      return;
    }
    if (error instanceof OutOfMemoryError) {
      log.write(
          Event.OUT_OF_MEMORY,
          "where",
          where,
          "error",
          error,
          "exit-code",
          OUT_OF_MEMORY,
          "remedy",
          "give the process more memory, or lower memory-budget or connections-max");
      exit.accept(OUT_OF_MEMORY);
    } else {
      log.write(Event.FATAL, "where", where, "error", error, "exit-code", BROKEN);
      exit.accept(BROKEN);
    }
  }

  /** The event loop of this part has ended, and nobody wanted it to. */
  void onLoopEnded(String where) {
    onError(
        where, new IllegalThreadStateException("its event loop has ended; see the line before"));
  }
}
