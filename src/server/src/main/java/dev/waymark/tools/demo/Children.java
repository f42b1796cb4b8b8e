package dev.waymark.tools.demo;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The child processes of the demo, none of which outlives it. A normal exit closes this; after a
 * failure a shutdown hook kills the remaining children; if the demo itself is killed, a guard does:
 * a shell that reads from a pipe and notices when the pipe ends. Thread-safe.
 */
final class Children implements AutoCloseable {
  /**
   * Remembers the last line of process IDs. Ignores signals, since Ctrl-C in the terminal is meant
   * for the demo.
   */
  private static final String GUARD =
      "trap '' INT TERM; pids=; while read -r line; do pids=$line; done;"
          + " [ -z \"$pids\" ] || kill -9 $pids 2>/dev/null";

  private static final List<String> IGNORING_SIGINT =
      List.of("sh", "-c", "trap '' INT; exec \"$@\"", "sh");

  private final Set<Process> running = new LinkedHashSet<>();
  private final Thread hook = new Thread(this::killAll, "demo-children");
  private final @Nullable OutputStream guard;

  Children() {
    Runtime.getRuntime().addShutdownHook(hook);
    guard = startGuard();
  }

  private static @Nullable OutputStream startGuard() {
    try {
      return new ProcessBuilder("sh", "-c", GUARD)
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .redirectError(ProcessBuilder.Redirect.DISCARD)
          .start()
          .getOutputStream();
    } catch (IOException noShell) {
      return null;
    }
  }

  /**
   * Starts a child that ignores SIGINT, because Ctrl-C reaches all processes of the terminal but is
   * meant only for the demo.
   */
  synchronized Process start(ProcessBuilder builder) throws IOException {
    if (guard != null) {
      List<String> line = new ArrayList<>(IGNORING_SIGINT);
      line.addAll(builder.command());
      builder.command(line);
    }
    Process child = builder.start();
    running.add(child);
    updateGuard();
    return child;
  }

  /** Forgets a child that has ended. */
  synchronized void onEnded(Process child) {
    running.remove(child);
    updateGuard();
  }

  /** Kills the children that are still running. */
  @Override
  public synchronized void close() {
    killAll();
    updateGuard();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException isShuttingDown) {
      // The hook will find nothing to kill.
    }
  }

  private synchronized void killAll() {
    // SIGKILL also ends a frozen process.
    running.forEach(Process::destroyForcibly);
    running.clear();
  }

  private void updateGuard() {
    if (guard == null) {
      return;
    }
    String pids =
        running.stream().map(child -> Long.toString(child.pid())).collect(Collectors.joining(" "));
    try {
      guard.write((pids + "\n").getBytes(StandardCharsets.US_ASCII));
      guard.flush();
    } catch (IOException guardIsGone) {
      // The shutdown hook remains.
    }
  }
}
