package dev.waymark.cli;

import dev.waymark.config.BadValueException;
import dev.waymark.config.HostPort;
import dev.waymark.tools.bench.BenchException;
import dev.waymark.tools.bench.BenchOptions;
import dev.waymark.tools.bench.BenchOptions.Mode;
import dev.waymark.tools.bench.BenchOptions.Tls;
import dev.waymark.tools.bench.Sources;
import dev.waymark.tools.bench.Targets;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The flags of {@code waymark bench} that define the run. */
final class BenchFlags {
  private static final Pattern SIZE = Pattern.compile("([0-9]{1,9})(B|KiB|MiB)?");
  private static final double IDLE_REQUESTS_PER_SECOND = 10_000;
  private static final int PACED_WINDOW = 16;
  private static final int INTERVAL_MS_MIN = 10;
  private static final int INTERVAL_MS_MAX = 60_000;

  @Parameters(
      paramLabel = "HOST:PORT",
      arity = "0..*",
      description =
          "Where to connect. Connections are spread over all targets, and over all addresses of a name.")
  private List<String> targets = List.of();

  @Option(
      names = "--connections",
      paramLabel = "N",
      defaultValue = "100",
      description = "Concurrent connections (default: ${DEFAULT-VALUE}).")
  private int connections;

  @Option(
      names = {"--size", "--sizes"},
      paramLabel = "SIZE",
      split = ",",
      defaultValue = "64",
      description =
          "Size of a request, such as 64 or 16KiB; a comma-separated list for a mix (default: ${DEFAULT-VALUE}).")
  private List<String> sizes = List.of();

  @Option(
      names = "--window",
      paramLabel = "N",
      description = "Maximum requests in flight on one connection (default: 1; 16 with --rate).")
  private @Nullable Integer window;

  @Option(
      names = "--rate",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "Requests per second over all connections. Each request is scheduled in advance, and its latency counts from then. 0, the default: as fast as replies come. With --connect-burst: connections per second.")
  private double rate;

  @Option(
      names = "--connect-burst",
      description = "Connect, send one request, close, repeat; --connections at a time.")
  private boolean isConnectBurst;

  @Option(
      names = "--idle",
      description =
          "Hold connections idle; each sends one request at the end to show that it is alive.")
  private boolean isIdle;

  @Option(
      names = "--seconds",
      paramLabel = "S",
      defaultValue = "10",
      converter = LengthOfTime.Seconds.class,
      description = "Measured time (default: ${DEFAULT-VALUE}).")
  private double seconds;

  @Option(
      names = "--warmup",
      paramLabel = "S",
      defaultValue = "0",
      converter = LengthOfTime.Seconds.class,
      description = "Unmeasured time before that (default: ${DEFAULT-VALUE}).")
  private double warmupSeconds;

  @Option(
      names = "--source",
      paramLabel = "ADDR",
      split = ",",
      description =
          "Local addresses or networks to connect from, such as 127.0.0.0/8: one address has about 28,000 ports per target.")
  private List<String> sources = List.of();

  @Option(
      names = "--tls",
      description =
          "Speak TLS, with the key exchange X25519. Any certificate is accepted: bench checks bytes, not who sends them.")
  private boolean isTls;

  @Option(
      names = "--tls-resume",
      description =
          "Like --tls, and resume sessions of earlier connections to the same target. Default: each handshake is a full one.")
  private boolean isTlsResumed;

  @Option(names = "--reset", description = "Close connections with RST, which leaves no TIME_WAIT.")
  private boolean isReset;

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "1",
      description = "Event loops (default: ${DEFAULT-VALUE}).")
  private int threads;

  @Option(names = "--label", paramLabel = "TEXT", description = "A name for the figures.")
  private String label = "";

  @Option(
      names = "--cpu-of",
      paramLabel = "PID",
      split = ",",
      description = "Local processes whose CPU and memory use is reported.")
  private List<Long> processes = List.of();

  @Option(
      names = "--interval",
      paramLabel = "MS",
      defaultValue = "1000",
      converter = LengthOfTime.Millis.class,
      description = "Time between two lines of progress (default: ${DEFAULT-VALUE}).")
  private int intervalMs;

  /**
   * Returns the options that the flags specify.
   *
   * @throws BenchException if a flag is missing or invalid
   */
  BenchOptions options() {
    if (targets.isEmpty()) {
      throw refused("which HOST:PORT? For example: waymark bench 127.0.0.1:7000");
    }
    if (isConnectBurst && isIdle) {
      throw refused("--connect-burst and --idle exclude each other");
    }
    if (isIdle && rate > 0) {
      throw refused("--idle and --rate exclude each other");
    }
    range("--connections", connections, 1, BenchOptions.CONNECTIONS_MAX);
    range("--rate", rate, 0, BenchOptions.RATE_MAX);
    range("--seconds", seconds, 0.001, BenchOptions.SECONDS_MAX);
    range("--warmup", warmupSeconds, 0, BenchOptions.SECONDS_MAX);
    range("--threads", threads, 1, BenchOptions.THREADS_MAX);
    range("--interval", intervalMs, INTERVAL_MS_MIN, INTERVAL_MS_MAX);
    int underWay = window == null ? rate > 0 && !isConnectBurst ? PACED_WINDOW : 1 : window;
    range("--window", underWay, 1, BenchOptions.WINDOW_MAX);
    if ((long) connections * underWay > BenchOptions.UNDER_WAY_MAX) {
      throw refused(
          String.format(
              Locale.ROOT,
              "--connections times --window: at most %,d requests in flight",
              BenchOptions.UNDER_WAY_MAX));
    }
    return new BenchOptions(
        label,
        isConnectBurst ? Mode.CONNECT_BURST : isIdle ? Mode.IDLE : Mode.LOAD,
        Targets.resolve(targets.stream().map(BenchFlags::target).toList()),
        connections,
        sizes.stream().map(BenchFlags::size).toList(),
        underWay,
        isIdle ? IDLE_REQUESTS_PER_SECOND : rate,
        seconds,
        warmupSeconds,
        Sources.parse(sources, connections),
        isTlsResumed ? Tls.RESUMED : isTls ? Tls.FULL : Tls.OFF,
        isReset,
        Math.min(threads, connections),
        intervalMs,
        processes);
  }

  private static InetSocketAddress target(String text) {
    try {
      HostPort target = HostPort.read(text, 0);
      return InetSocketAddress.createUnresolved(target.host(), target.port());
    } catch (BadValueException e) {
      throw new BenchException(text + " (expected: " + e.expected() + ")");
    }
  }

  private static int size(String text) {
    Matcher parts = SIZE.matcher(text);
    if (parts.matches()) {
      long amount = Long.parseLong(parts.group(1));
      String unit = parts.group(2);
      long bytes =
          unit == null || unit.equals("B") ? amount : amount << (unit.equals("KiB") ? 10 : 20);
      if (bytes >= 1 && bytes <= BenchOptions.SIZE_MAX) {
        return (int) bytes;
      }
    }
    throw refused(
        String.format(
            Locale.ROOT,
            "--size: %s (expected: 1 to %dMiB, such as 64, 1KiB or 64,1KiB,16KiB)",
            text,
            BenchOptions.SIZE_MAX >> 20));
  }

  private static void range(String name, double value, double min, double max) {
    if (!(value >= min && value <= max)) {
      throw refused(
          String.format(
              Locale.ROOT, "%s: %s (expected: %s to %s)", name, n(value), n(min), n(max)));
    }
  }

  /** Formats a whole number without decimals. */
  private static String n(double value) {
    return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
  }

  private static BenchException refused(String message) {
    return new BenchException(message);
  }
}
