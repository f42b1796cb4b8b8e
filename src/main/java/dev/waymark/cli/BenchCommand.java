package dev.waymark.cli;

import dev.waymark.cli.bench.Bench;
import dev.waymark.cli.bench.BenchException;
import dev.waymark.cli.bench.BenchOptions;
import dev.waymark.cli.bench.BenchOptions.Mode;
import dev.waymark.cli.bench.EchoServer;
import dev.waymark.cli.bench.Figures;
import dev.waymark.cli.bench.Report;
import dev.waymark.cli.bench.Result;
import dev.waymark.cli.bench.Sockets;
import dev.waymark.cli.bench.Sources;
import dev.waymark.cli.bench.Targets;
import dev.waymark.config.BridgeConfig.Transport;
import io.netty.channel.epoll.Epoll;
import java.io.Console;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** `waymark bench`: load for whatever echoes, every byte checked. */
@Command(
    name = "bench",
    description = {
      "Sends requests over many TCP connections to whatever echoes them, checks every byte that comes back, and measures.",
      "Exit code 1 if a byte was wrong, a connection was lost or refused, or a request was not answered."
    },
    mixinStandardHelpOptions = true,
    versionProvider = Version.class)
final class BenchCommand implements Callable<Integer> {
  private static final Pattern SIZE = Pattern.compile("([0-9]{1,9})(B|KiB|MiB)?");
  private static final double IDLE_ASKS_PER_SECOND = 10_000;
  private static final int PACED_WINDOW = 16;
  private static final int INTERVAL_MS_MIN = 10;
  private static final int INTERVAL_MS_MAX = 60_000;

  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "HOST:PORT",
      arity = "0..*",
      description =
          "Where to connect; connections are dealt out over all of them, and over all addresses of a name.")
  private List<String> targets = List.of();

  @Option(
      names = "--connections",
      paramLabel = "N",
      defaultValue = "100",
      description = "At a time (default: ${DEFAULT-VALUE}).")
  private int connections;

  @Option(
      names = {"--size", "--sizes"},
      paramLabel = "SIZE",
      split = ",",
      defaultValue = "64",
      description =
          "Of a request, as 64 or 16KiB; several by comma are mixed (default: ${DEFAULT-VALUE}).")
  private List<String> sizes = List.of();

  @Option(
      names = "--window",
      paramLabel = "N",
      description = "Requests under way on one connection, at most (default: 1; 16 with --rate).")
  private @Nullable Integer window;

  @Option(
      names = "--rate",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "Requests a second, all connections together, each at a time fixed in advance; its latency counts from then. 0, the default: as fast as replies come. With --storm: connections a second.")
  private double rate;

  @Option(
      names = "--storm",
      description = "Connect, ask once, close, and again; --connections at a time.")
  private boolean isStorm;

  @Option(
      names = "--idle",
      description =
          "Connections that do nothing, and ask once at the end to show that they are alive.")
  private boolean isIdle;

  @Option(
      names = "--seconds",
      paramLabel = "S",
      defaultValue = "10",
      description = "How long is measured (default: ${DEFAULT-VALUE}).")
  private double seconds;

  @Option(
      names = "--warmup",
      paramLabel = "S",
      defaultValue = "0",
      description = "How long is run before, and not measured (default: ${DEFAULT-VALUE}).")
  private double warmupSeconds;

  @Option(
      names = "--source",
      paramLabel = "ADDR",
      split = ",",
      description =
          "Local addresses to connect from, or networks of them, as 127.0.0.0/8: one address has some 28,000 ports for each target.")
  private List<String> sources = List.of();

  @Option(names = "--reset", description = "End connections with RST, which leaves no TIME_WAIT.")
  private boolean isReset;

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "1",
      description = "Event loops (default: ${DEFAULT-VALUE}).")
  private int threads;

  @Option(
      names = "--json",
      paramLabel = "FILE",
      description = "Where all figures go as one line of JSON, - for standard output.")
  private @Nullable String json;

  @Option(names = "--label", paramLabel = "TEXT", description = "A name for the figures.")
  private String label = "";

  @Option(
      names = "--cpu-of",
      paramLabel = "PID",
      split = ",",
      description = "Processes on this machine whose use of CPU and memory is told.")
  private List<Long> processes = List.of();

  @Option(
      names = "--interval",
      paramLabel = "MS",
      defaultValue = "1000",
      description = "Between two lines of progress (default: ${DEFAULT-VALUE}).")
  private int intervalMs;

  @Option(
      names = "--progress",
      description = "Tell the progress even if standard error is no terminal.")
  private boolean isProgress;

  @Option(names = "--quiet", description = "Neither progress nor table.")
  private boolean isQuiet;

  @Option(
      names = "--serve-echo",
      paramLabel = "HOST:PORT",
      description = "Be the other side: a plain TCP echo on this address, until Ctrl-C.")
  private @Nullable String echo;

  /** For picocli, which sets the fields. */
  @SuppressWarnings("NullAway.Init")
  public BenchCommand() {}

  @Override
  public Integer call() throws IOException, InterruptedException {
    try {
      return echo == null ? bench() : serveEcho(echo);
    } catch (BenchException refused) {
      throw refused(String.valueOf(refused.getMessage()));
    }
  }

  private int bench() throws IOException, InterruptedException {
    BenchOptions options = options();
    checkJson();
    Result result =
        new Bench(options, sockets(), Clock::nowNs, Stopper.install().stop(), progress()).run();
    PrintWriter out = "-".equals(json) ? spec.commandLine().getErr() : spec.commandLine().getOut();
    if (!isQuiet) {
      Report.table(result).forEach(out::println);
      out.flush();
    }
    if (json != null) {
      writeJson(json, Figures.json(result, Version.current(), Clock.nowUnixMs()));
    }
    return result.exitCode();
  }

  private int serveEcho(String address) throws IOException {
    InetSocketAddress unresolved = Targets.parse(address);
    InetSocketAddress resolved =
        new InetSocketAddress(unresolved.getHostString(), unresolved.getPort());
    CountDownLatch stop = Stopper.install().stop();
    try (EchoServer server = open(resolved, address)) {
      PrintWriter out = spec.commandLine().getOut();
      out.println("waymark bench: echo on " + address(server.address()) + "; Ctrl-C ends it");
      out.flush();
      server.run(stop);
    }
    return 0;
  }

  private static EchoServer open(InetSocketAddress address, String text) {
    try {
      if (address.isUnresolved()) {
        throw new BenchException(text + ": there is no address for this name");
      }
      return new EchoServer(address);
    } catch (IOException e) {
      throw new BenchException(
          "--serve-echo: "
              + text
              + " cannot be opened: "
              + e.getMessage()
              + "; choose another port");
    }
  }

  // --- options ---

  private BenchOptions options() {
    if (targets.isEmpty()) {
      throw refused("which HOST:PORT? For example: waymark bench 127.0.0.1:7000");
    }
    if (isStorm && isIdle) {
      throw refused("--storm and --idle exclude each other");
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
    int underWay = window == null ? rate > 0 && !isStorm ? PACED_WINDOW : 1 : window;
    range("--window", underWay, 1, BenchOptions.WINDOW_MAX);
    if ((long) connections * underWay > BenchOptions.UNDER_WAY_MAX) {
      throw refused(
          "--connections times --window: at most %,d".formatted(BenchOptions.UNDER_WAY_MAX));
    }
    return new BenchOptions(
        label,
        isStorm ? Mode.STORM : isIdle ? Mode.IDLE : Mode.LOAD,
        Targets.resolve(targets),
        connections,
        sizes.stream().map(this::size).toList(),
        underWay,
        isIdle ? IDLE_ASKS_PER_SECOND : rate,
        seconds,
        warmupSeconds,
        Sources.parse(sources, connections),
        isReset,
        Math.min(threads, connections),
        intervalMs,
        processes);
  }

  private int size(String text) {
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
        "--size: %s (expected: 1 to %dMiB, such as 64, 1KiB or 64,1KiB,16KiB)"
            .formatted(text, BenchOptions.SIZE_MAX >> 20));
  }

  private void range(String name, double value, double min, double max) {
    if (!(value >= min && value <= max)) {
      throw refused("%s: %s (expected: %s to %s)".formatted(name, n(value), n(min), n(max)));
    }
  }

  private static String n(double value) {
    return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
  }

  private ParameterException refused(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  // --- surroundings ---

  private static Sockets sockets() {
    NettyTransport transport =
        NettyTransport.choose(Epoll.isAvailable() ? Transport.EPOLL : Transport.NIO);
    return new Sockets(transport.name(), transport.ioHandlers(), transport.clientType());
  }

  private Consumer<String> progress() {
    Console console = System.console();
    boolean isTerminal = console != null && console.isTerminal();
    if (isQuiet || !isTerminal && !isProgress) {
      return _ -> {};
    }
    PrintWriter err = spec.commandLine().getErr();
    return line -> {
      err.println(line);
      err.flush();
    };
  }

  /** Before the run: after it, its figures would be lost. */
  private void checkJson() throws IOException {
    if (json != null && !json.equals("-")) {
      try {
        Files.writeString(Path.of(json), "");
      } catch (IOException e) {
        throw refused("--json: cannot write to " + json + "; choose another file");
      }
    }
  }

  private void writeJson(String place, String line) throws IOException {
    if (place.equals("-")) {
      spec.commandLine().getOut().println(line);
      spec.commandLine().getOut().flush();
    } else {
      Files.writeString(Path.of(place), line + System.lineSeparator());
    }
  }

  private static String address(InetSocketAddress address) {
    String host = address.getAddress().getHostAddress();
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + address.getPort();
  }
}
