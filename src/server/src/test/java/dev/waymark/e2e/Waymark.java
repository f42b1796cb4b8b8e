package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/**
 * A program in its own process, usually a waymark command: {@code Waymark.start("bridge",
 * "--listen", "127.0.0.1:7000")}. Ended with {@link #stop()} (SIGTERM) or {@link #kill()}; {@link
 * #close()} kills a process that still runs and fails the test if Netty reported a leak.
 * Thread-safe.
 */
public final class Waymark implements AutoCloseable {
  /** The line of a bridge that is ready. Groups: its listeners, its admin port. */
  public static final String BRIDGE_READY =
      "waymark bridge: listening on (.*), with .*, admin on http://(\\S+?);";

  /** The line of a stub that is ready. Groups: the address of Attach, its admin port. */
  public static final String STUB_READY = "stub serves Attach on (\\S+) .*, admin on http://(\\S+)";

  private static final Duration START_TIMEOUT = Duration.ofSeconds(30);
  private static final Duration POLL_INTERVAL = Duration.ofMillis(20);
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(45);

  /** Variables from which every JVM takes options, which it may report on its output. */
  private static final Set<String> JVM_OPTIONS =
      Set.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS");

  /** Fixed ports are below the ephemeral range, so that no client socket takes them. */
  private static final int PORT_MIN = 10_000;

  private static final int PORT_MAX = 32_000;

  private final String name;
  private final Process process;
  private final CapturedOutput stdout;
  private final CapturedOutput stderr;

  private Waymark(String name, Process process) {
    this.name = name;
    this.process = process;
    this.stdout = new CapturedOutput(process.getInputStream());
    this.stderr = new CapturedOutput(process.getErrorStream());
  }

  /** Starts a waymark command with the classes under test. */
  public static Waymark start(String... args) {
    return command(args).start();
  }

  /** Prepares a waymark command, to set its environment or JVM options before it starts. */
  public static Launch command(String... args) {
    return new Launch(List.of(args), true);
  }

  /**
   * Whether processes started here ignore HUP or INT from the start: a build under {@code nohup} or
   * in a shell's background passes that on.
   */
  public static boolean isIgnoredHere(String signal) {
    long bit = 1L << (signal.equals("HUP") ? 0 : 1);
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
      return lines
          .filter(line -> line.startsWith("SigIgn:"))
          .anyMatch(line -> (Long.parseUnsignedLong(line.split("\\s+", 2)[1], 16) & bit) != 0);
    } catch (IOException noProc) {
      return false;
    }
  }

  /** Whether the shell would find this program. */
  public static boolean isOnPath(String program) {
    return Stream.of(System.getenv("PATH").split(":"))
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
  }

  /** Prepares any other program, such as an example in another language or a real server. */
  public static Launch program(String... commandLine) {
    return new Launch(List.of(commandLine), false);
  }

  /** Returns an unused loopback port below the ephemeral range. */
  public static int freePort() {
    for (int attempt = 0; attempt < 100; attempt++) {
      int port = ThreadLocalRandom.current().nextInt(PORT_MIN, PORT_MAX);
      try (var probe = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        return probe.getLocalPort();
      } catch (IOException taken) {
        continue;
      }
    }
    throw new IllegalStateException("no free port between " + PORT_MIN + " and " + PORT_MAX);
  }

  /** Waits for a line of either output with a match of this expression and returns the match. */
  public MatchResult awaitLine(String regex) {
    return awaitLine(regex, START_TIMEOUT);
  }

  /** Like {@link #awaitLine(String)} with a timeout. Fails at once when the process ends. */
  public MatchResult awaitLine(String regex, Duration timeout) {
    Pattern pattern = Pattern.compile(regex);
    await("prints " + regex, timeout, () -> !find(pattern).isEmpty());
    return find(pattern).getFirst();
  }

  /**
   * Waits for a line that contains all of these texts and returns it. For long outputs, where a
   * regular expression would be slow.
   */
  public String awaitLineWith(String... parts) {
    await("prints " + List.of(parts), START_TIMEOUT, () -> lineWith(parts).isPresent());
    return lineWith(parts).orElseThrow();
  }

  /** Waits until GET of the URL returns 200, such as {@code /readyz} of a bridge. */
  public Waymark awaitOk(String url) {
    await("answers " + url, START_TIMEOUT, () -> isOk(url));
    return this;
  }

  /** Sends SIGTERM, waits for the end and returns the exit code. */
  public int stop() {
    // Process.destroy would also close the output, and the program could not write it any more.
    process.toHandle().destroy();
    return exitCode();
  }

  /** Sends SIGKILL, also to descendants. Returns when the process is gone. */
  public void kill() {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
    exitCode();
  }

  /** Sends a signal by its name without SIG: {@code STOP}, {@code CONT}, {@code INT}. */
  public void signal(String signal) {
    try {
      int code =
          new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid())).start().waitFor();
      assertThat(code).as("kill -%s", signal).isZero();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** Waits until the process has ended and its output is read, and returns the exit code. */
  public int exitCode() {
    return exitCode(STOP_TIMEOUT);
  }

  /** Like {@link #exitCode()} with a timeout. */
  public int exitCode(Duration timeout) {
    try {
      if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new AssertionError("did not end within " + timeout + "; " + describe());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
    stdout.awaitEnd();
    stderr.awaitEnd();
    return process.exitValue();
  }

  /**
   * Runs a full collection. Netty's leak detector then reports leaks when the next buffer is
   * allocated.
   */
  public void collectGarbage() {
    Path jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd");
    assertThat(program(jcmd.toString(), Long.toString(pid()), "GC.run").start().exitCode())
        .isZero();
  }

  /** Returns the CPU time used since the start. */
  public Duration cpuTime() {
    return process.info().totalCpuDuration().orElseThrow();
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  public long pid() {
    return process.pid();
  }

  /** Returns the standard output so far. */
  public String stdout() {
    return stdout.text();
  }

  /** Returns the standard error so far. */
  public String stderr() {
    return stderr.text();
  }

  /** Returns name, state and the whole output, for failure messages. */
  public String describe() {
    String state = process.isAlive() ? "runs" : "ended with " + process.exitValue();
    return name + " " + state + "\n--- stdout\n" + stdout() + "--- stderr\n" + stderr();
  }

  @Override
  public void close() {
    if (process.isAlive()) {
      kill();
    }
    assertThat(stdout() + stderr()).as("no buffer leaks in %s", name).doesNotContain("LEAK:");
  }

  private void await(String what, Duration timeout, BooleanSupplier condition) {
    try {
      Awaitility.await(what)
          .atMost(timeout)
          .pollInterval(POLL_INTERVAL)
          .until(() -> !process.isAlive() || condition.getAsBoolean());
    } catch (ConditionTimeoutException late) {
      throw new AssertionError(late.getMessage() + "; " + describe(), late);
    }
    if (!process.isAlive()) {
      exitCode();
      if (!condition.getAsBoolean()) {
        throw new AssertionError("expected: " + what + "; " + describe());
      }
    }
  }

  private List<MatchResult> find(Pattern pattern) {
    return Stream.of(stdout, stderr)
        .flatMap(out -> out.text().lines())
        .flatMap(line -> pattern.matcher(line).results())
        .toList();
  }

  private Optional<String> lineWith(String... parts) {
    return Stream.of(stderr, stdout)
        .flatMap(out -> out.text().lines())
        .filter(line -> Stream.of(parts).allMatch(line::contains))
        .findFirst();
  }

  private static boolean isOk(String url) {
    var request = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(2)).build();
    try (var client = HttpClient.newHttpClient()) {
      return client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
    } catch (IOException notYet) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** How to start a process. Confined to the test's thread. */
  public static final class Launch {
    private final List<String> args;
    private final boolean isWaymark;
    private final Map<String, String> environment = new HashMap<>();
    private String leakDetection = "paranoid";
    private int descriptorsMax;
    private String ignoredSignal = "";
    private boolean isQuick;
    private boolean isSustained;
    private Path directory = Path.of("").toAbsolutePath();
    private ProcessBuilder.Redirect output = ProcessBuilder.Redirect.PIPE;

    private Launch(List<String> args, boolean isWaymark) {
      this.args = args;
      this.isWaymark = isWaymark;
    }

    /**
     * Sets a variable. The test's environment is inherited, without WAYMARK_ variables and those
     * with options for every JVM.
     */
    public Launch env(String key, String value) {
      environment.put(key, value);
      return this;
    }

    /** Limits the descriptors that the process may open. */
    public Launch descriptorsMax(int count) {
      descriptorsMax = count;
      return this;
    }

    /** Ignores a signal, by its name without SIG, when the process starts, like {@code nohup}. */
    public Launch ignoring(String signal) {
      ignoredSignal = signal;
      return this;
    }

    /** Sets Netty's level of leak detection; paranoid if not called. */
    public Launch leakDetection(String level) {
      leakDetection = level;
      return this;
    }

    /** Uses both compilers, as in production: for processes that run long under load. */
    public Launch sustained() {
      isSustained = true;
      return this;
    }

    /** Takes the serial collector, with which a start is cheaper and sustained load slower. */
    public Launch quick() {
      isQuick = true;
      return this;
    }

    /** Appends both outputs to a file; else the test reads them. */
    public Launch outputTo(Path file) {
      output = ProcessBuilder.Redirect.appendTo(file.toFile());
      return this;
    }

    /** Sets the working directory; else it is the test's. */
    public Launch in(Path workingDirectory) {
      directory = workingDirectory;
      return this;
    }

    public Waymark start() {
      ProcessBuilder builder = new ProcessBuilder(limited(isWaymark ? java() : args));
      builder.directory(directory.toFile());
      builder
          .environment()
          .keySet()
          .removeIf(key -> key.startsWith("WAYMARK_") || JVM_OPTIONS.contains(key));
      builder.environment().putAll(environment);
      builder.redirectOutput(output).redirectError(output);
      try {
        return new Waymark(String.join(" ", args), builder.start());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private List<String> limited(List<String> commandLine) {
      if (descriptorsMax == 0 && ignoredSignal.isEmpty()) {
        return commandLine;
      }
      String limit = descriptorsMax == 0 ? "" : "ulimit -n " + descriptorsMax + "; ";
      String trap = ignoredSignal.isEmpty() ? "" : "trap '' " + ignoredSignal + "; ";
      var shell = List.of("sh", "-c", limit + trap + "exec \"$@\"", "sh");
      return Stream.concat(shell.stream(), commandLine.stream()).toList();
    }

    private List<String> java() {
      var line = new ArrayList<String>();
      line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      line.addAll(TrainedRelease.jvmOptions());
      line.add("-Dio.netty.leakDetection.level=" + leakDetection);
      if (!isSustained) {
        // Most processes end before the second compiler pays for what it takes from the others.
        line.add("-XX:TieredStopAtLevel=1");
      }
      if (isQuick) {
        line.add("-XX:+UseSerialGC");
      }
      line.add("dev.waymark.cli.Main");
      line.addAll(args);
      return line;
    }
  }
}
