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
 * The processes that the demo started: none outlives it. Whoever ends in order closes this; a
 * shutdown hook kills what is left after a failure; a guard, a shell that reads from a pipe, does
 * so when the demo itself is killed, since then the pipe ends. Thread-safe.
 */
final class Children implements AutoCloseable {
  /** Remembers the last line; interrupts of the terminal are for the demo. */
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
   * Starts one. It ignores SIGINT: Ctrl-C reaches all processes of the terminal, and is for the
   * demo alone.
   */
  synchronized Process start(ProcessBuilder builder) throws IOException {
    if (guard != null) {
      List<String> line = new ArrayList<>(IGNORING_SIGINT);
      line.addAll(builder.command());
      builder.command(line);
    }
    Process child = builder.start();
    running.add(child);
    tellGuard();
    return child;
  }

  /** It has ended. */
  synchronized void ended(Process child) {
    running.remove(child);
    tellGuard();
  }

  /** Kills those that still run. */
  @Override
  public synchronized void close() {
    killAll();
    tellGuard();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException isShuttingDown) {
      // The hook finds nothing left.
    }
  }

  private synchronized void killAll() {
    // A frozen one too dies of it.
    running.forEach(Process::destroyForcibly);
    running.clear();
  }

  private void tellGuard() {
    if (guard == null) {
      return;
    }
    String pids =
        running.stream().map(child -> Long.toString(child.pid())).collect(Collectors.joining(" "));
    try {
      guard.write((pids + "\n").getBytes(StandardCharsets.US_ASCII));
      guard.flush();
    } catch (IOException guardIsGone) {
      // Then the hook alone has to do.
    }
  }
}
