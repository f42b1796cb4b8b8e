package dev.waymark.tools.demo;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A waymark command in a separate process, with the Java and classes of this one. Thread-safe. */
final class Program {
  private static final long READY_TIMEOUT_S = 30;
  private static final long STOP_TIMEOUT_S = 5;
  private static final int LAST_LINES_MAX = 20;

  private static final List<String> INHERITED =
      List.of(
          "--enable-native-access=",
          "--sun-misc-unsafe-memory-access=",
          "-XX:+UseCompactObjectHeaders",
          "-XX:AOTCache=",
          "-XX:TieredStopAtLevel=",
          "-XX:+UseSerialGC",
          "-Xlog:aot=",
          "-Xlog:cds=",
          "-Djava.library.path=",
          "-Dio.netty.");

  private final String name;
  private final Process process;
  private final Children children;
  private final CompletableFuture<Matcher> ready = new CompletableFuture<>();
  private final Deque<String> lastLines = new ArrayDeque<>();

  private Program(String name, Process process, Children children, Pattern readyLine) {
    this.name = name;
    this.process = process;
    this.children = children;
    Thread.ofVirtual().name(name + "-output").start(() -> read(readyLine));
  }

  /**
   * The options of this JVM that child processes need too. Excludes memory, collector and debugger:
   * a port or a file can serve only one process.
   */
  static List<String> inherited(List<String> jvmOptions) {
    return jvmOptions.stream()
        .filter(option -> INHERITED.stream().anyMatch(option::startsWith))
        .toList();
  }

  /**
   * Starts a command. It is ready once a line of its output contains this pattern.
   *
   * @throws DemoException if it cannot be started
   */
  static Program start(
      Children children, Pattern readyLine, List<String> jvmOptions, List<String> command) {
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.addAll(List.of("-cp", System.getProperty("java.class.path")));
    line.addAll(inherited(ManagementFactory.getRuntimeMXBean().getInputArguments()));
    line.addAll(jvmOptions);
    line.add("dev.waymark.cli.Main");
    line.addAll(command);
    ProcessBuilder builder = new ProcessBuilder(line).redirectErrorStream(true);
    // The user's own configuration must not affect the demo.
    builder.environment().keySet().removeIf(key -> key.startsWith("WAYMARK_"));
    String name = command.getFirst();
    try {
      return new Program(name, children.start(builder), children, readyLine);
    } catch (IOException e) {
      throw new DemoException("cannot start the " + name + ": " + e.getMessage());
    }
  }

  /**
   * Waits until it is ready.
   *
   * @throws DemoException if it ends before that or takes too long
   */
  Matcher awaitReady() throws InterruptedException {
    try {
      return ready.get(READY_TIMEOUT_S, TimeUnit.SECONDS);
    } catch (ExecutionException ended) {
      throw notReady("ended before it was ready");
    } catch (TimeoutException timeout) {
      throw notReady("was not ready within " + READY_TIMEOUT_S + " s");
    }
  }

  private DemoException notReady(String why) throws InterruptedException {
    kill();
    String lines = lastLines();
    String output = lines.isEmpty() ? "it printed nothing" : "its last lines:\n" + lines;
    return new DemoException("the " + name + " " + why + "; " + output);
  }

  /** Sends SIGKILL and waits for the end. */
  void kill() throws InterruptedException {
    process.destroyForcibly();
    process.waitFor(STOP_TIMEOUT_S, TimeUnit.SECONDS);
    children.onEnded(process);
  }

  /** Sends SIGTERM, waits for the end, and sends SIGKILL if that takes too long. */
  void stop() throws InterruptedException {
    process.destroy();
    if (!process.waitFor(STOP_TIMEOUT_S, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      process.waitFor(STOP_TIMEOUT_S, TimeUnit.SECONDS);
    }
    children.onEnded(process);
  }

  /** Sends any other signal, given by its name without SIG. */
  void signal(String signal) throws InterruptedException {
    String[] kill = {"kill", "-" + signal, Long.toString(process.pid())};
    try {
      if (new ProcessBuilder(kill).start().waitFor() == 0) {
        return;
      }
    } catch (IOException e) {
      // Reported below.
    }
    throw new DemoException("`" + String.join(" ", kill) + "` failed");
  }

  private synchronized String lastLines() {
    return String.join("\n", lastLines);
  }

  private void read(Pattern readyLine) {
    try (BufferedReader in =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        keep(line);
        Matcher match = readyLine.matcher(line);
        if (match.find()) {
          ready.complete(match);
        }
      }
    } catch (IOException gone) {
      keep(String.valueOf(gone.getMessage()));
    }
    ready.completeExceptionally(new IOException("its output ended"));
  }

  private synchronized void keep(String line) {
    if (lastLines.size() == LAST_LINES_MAX) {
      lastLines.removeFirst();
    }
    lastLines.add(line);
  }
}
