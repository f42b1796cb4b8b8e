package dev.waymark.tools.agent;

import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One run of a command line in the shell, without input. Thread-safe: one thread waits for it,
 * another may kill it.
 */
final class CommandRun {
  private static final String SHELL = "/bin/sh";

  /** Higher exit codes of a shell are 128 and the number of the signal that ended its child. */
  private static final int SIGNALLED = 128;

  /** How much later than the process its output may end: a child may hold it open for longer. */
  private static final long OUTPUT_MS = 100;

  private final String line;
  private @Nullable Process process;
  private boolean isKilled;

  CommandRun(String line) {
    this.line = line;
  }

  /** Runs the command and waits for its end. */
  Verdict await() {
    try {
      Process started = start();
      return started == null ? Verdict.failed("killed") : await(started);
    } catch (IOException failed) {
      return Verdict.failed("cannot be run: " + failed.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Verdict.failed("interrupted");
    }
  }

  private synchronized @Nullable Process start() throws IOException {
    if (!isKilled) {
      process =
          new ProcessBuilder(SHELL, "-c", line)
              .redirectErrorStream(true)
              .redirectInput(Redirect.from(new File("/dev/null")))
              .start();
    }
    return process;
  }

  private static Verdict await(Process started) throws InterruptedException {
    LastLine output = new LastLine();
    Thread reader =
        Thread.ofVirtual().name("check-output").start(() -> output.read(started.getInputStream()));
    int code = started.waitFor();
    reader.join(OUTPUT_MS);
    return code == 0 ? Verdict.PASSED : Verdict.failed(describe(code, output.text()));
  }

  private static String describe(int code, String last) {
    String end = code > SIGNALLED ? "killed by signal " + (code - SIGNALLED) : "exit code " + code;
    return last.isEmpty() ? end : end + ": " + last;
  }

  /** Kills the process and its children, or keeps it from being started. */
  synchronized void kill() {
    isKilled = true;
    if (process != null) {
      // They are known as its children only as long as it lives.
      List<ProcessHandle> children = process.descendants().toList();
      process.destroyForcibly();
      children.forEach(ProcessHandle::destroyForcibly);
    }
  }

  synchronized boolean isOver() {
    return process == null ? isKilled : !process.isAlive();
  }
}
