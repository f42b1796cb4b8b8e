package dev.waymark.cli;

import dev.waymark.telemetry.OutputQueue;
import java.io.FileDescriptor;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.time.Duration;

/**
 * The process's standard output and standard error, each behind an {@link OutputQueue}, so that a
 * reader that has stopped reading blocks nothing. Thread-safe.
 */
final class StandardStreams {
  /** How long the process waits at its end for the last lines to be read. */
  private static final Duration DRAIN_TIMEOUT = Duration.ofSeconds(1);

  private final OutputQueue out = OutputQueue.of(FileDescriptor.out, "stdout-writer");
  private final OutputQueue err = OutputQueue.of(FileDescriptor.err, "stderr-writer");

  /**
   * Queues everything printed to {@link System#err} from now on, including by the JDK and
   * libraries, and drains both queues at the end of the process. {@link System#out} is left alone:
   * a command whose output is its purpose must wait for its reader and notice write errors.
   */
  void install() {
    System.setErr(new PrintStream(err, true, System.err.charset()));
    drainAtEnd(err);
    drainAtEnd(out);
  }

  /** Adds one hook per queue: shutdown hooks run concurrently. */
  private static void drainAtEnd(OutputQueue queue) {
    Runtime.getRuntime()
        .addShutdownHook(
            Thread.ofPlatform().name("last-lines").unstarted(() -> queue.drain(DRAIN_TIMEOUT)));
  }

  /** Waits, for a bounded time, until all output is written. Call it before halting the process. */
  void drain() {
    err.drain(DRAIN_TIMEOUT);
    out.drain(DRAIN_TIMEOUT);
  }

  /** Queued standard output, for long-running commands. */
  PrintWriter out() {
    return new PrintWriter(out, true, System.out.charset());
  }

  /** Whether standard output lost anything, unwritten or unread. Waits, for a bounded time. */
  boolean isOutLost() {
    out.drain(DRAIN_TIMEOUT);
    return System.out.checkError() || out.hasLostOutput();
  }

  /** Standard error: the log, and messages for the user. */
  OutputQueue err() {
    return err;
  }
}
