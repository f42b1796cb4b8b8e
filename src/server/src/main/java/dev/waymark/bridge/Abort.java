package dev.waymark.bridge;

import dev.waymark.telemetry.Event;
import dev.waymark.telemetry.EventLog;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntConsumer;

/**
 * Ends the process when it cannot go on: an {@link Error} has left a shard in an unknown state, or
 * an event loop has ended. A process that has exited gets restarted; one that limps along does not.
 * Thread-safe.
 */
final class Abort {
  /** Out of heap or direct memory; the same exit code as the JVM's ExitOnOutOfMemoryError. */
  static final int OUT_OF_MEMORY = 3;

  /** Any other fatal failure. */
  static final int BROKEN = 4;

  private final EventLog log;
  private final IntConsumer exit;
  private final AtomicBoolean hasBegun = new AtomicBoolean();

  /**
   * @param exit writes the last lines of the log, then ends the process with this code
   */
  Abort(EventLog log, IntConsumer exit) {
    this.log = log;
    this.exit = exit;
  }

  /**
   * Ends the process because of an error that must not be caught.
   *
   * @param where the part of the process that threw it
   */
  void onError(String where, Throwable error) {
    if (!hasBegun.compareAndSet(false, true)) {
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

  /** Ends the process because an event loop has ended unexpectedly. */
  void onLoopEnded(String where) {
    onError(
        where,
        new IllegalThreadStateException("its event loop has ended; see the preceding log line"));
  }
}
