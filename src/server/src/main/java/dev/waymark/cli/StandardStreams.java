package dev.waymark.cli;

import dev.waymark.telemetry.OutputQueue;
import java.io.FileDescriptor;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.time.Duration;

/**
 * The process's standard output and standard error, each behind an {@link OutputQueue}, so that a
 * reader that has stopped stops nothing else. Thread-safe.
 */
final class StandardStreams {
  /** How long the end of the process waits for the last lines to be read. */
  private static final Duration DRAIN_TIMEOUT = Duration.ofSeconds(1);

  private final OutputQueue out = OutputQueue.of(FileDescriptor.out, "stdout-writer");
  private final OutputQueue err = OutputQueue.of(FileDescriptor.err, "stderr-writer");

  /**
   * Queues whatever is printed to {@link System#err} from now on, by the JDK and libraries too, and
   * writes what is left at the end of the process. {@link System#out} stays as it is: a command
   * whose output is its purpose waits for its reader, and must notice that it cannot be written.
   */
  void install() {
    System.setErr(new PrintStream(err, true, System.err.charset()));
    drainAtEnd(err);
    drainAtEnd(out);
  }

  /** Hooks run side by side. */
  private static void drainAtEnd(OutputQueue queue) {
    Runtime.getRuntime()
        .addShutdownHook(
            Thread.ofPlatform().name("last-lines").unstarted(() -> queue.drain(DRAIN_TIMEOUT)));
  }

  /** Waits until what was printed is written, for a bounded time: before the process is halted. */
  void drain() {
    err.drain(DRAIN_TIMEOUT);
    out.drain(DRAIN_TIMEOUT);
  }

  /** Standard output, for a command that runs until it is stopped. */
  PrintWriter out() {
    return new PrintWriter(out, true, System.out.charset());
  }

  /** Whether something for standard output could not be written, or was not read; waits for it. */
  boolean isOutLost() {
    out.drain(DRAIN_TIMEOUT);
    return System.out.checkError() || out.isLost();
  }

  /** Standard error: the log, and messages for people. */
  OutputQueue err() {
    return err;
  }
}
