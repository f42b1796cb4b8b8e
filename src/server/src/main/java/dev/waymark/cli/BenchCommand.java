package dev.waymark.cli;

import dev.waymark.bridge.Clock;
import dev.waymark.bridge.Version;
import dev.waymark.config.BridgeConfig.Transport;
import dev.waymark.config.ConfigException;
import dev.waymark.config.ListenAddresses;
import dev.waymark.net.NettyTransport;
import dev.waymark.net.listener.ListenerPort;
import dev.waymark.tools.bench.Bench;
import dev.waymark.tools.bench.BenchException;
import dev.waymark.tools.bench.BenchOptions;
import dev.waymark.tools.bench.EchoServer;
import dev.waymark.tools.bench.Figures;
import dev.waymark.tools.bench.Report;
import dev.waymark.tools.bench.Result;
import dev.waymark.tools.bench.Sockets;
import io.netty.channel.epoll.Epoll;
import java.io.Console;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code waymark bench}: loads an echo service and checks every byte. */
@Command(
    name = "bench",
    description = {
      "Sends requests over many TCP connections to anything that echoes them, checks every byte that comes back, and measures.",
      "Exit code 1 if a byte was wrong, a connection was lost or refused, or a request was not answered."
    },
    mixinStandardHelpOptions = true,
    versionProvider = VersionText.class)
final class BenchCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Mixin private BenchFlags flags = new BenchFlags();

  @Option(
      names = "--json",
      paramLabel = "FILE",
      description = "Write all figures to FILE as one line of JSON; - for standard output.")
  private @Nullable String json;

  @Option(
      names = "--progress",
      description = "Show progress even if standard error is not a terminal.")
  private boolean isProgress;

  @Option(names = "--quiet", description = "Print neither progress nor the table.")
  private boolean isQuiet;

  @Option(
      names = "--serve-echo",
      paramLabel = "HOST:PORT",
      description =
          "Instead, serve as the other side: a plain TCP echo on this address, until Ctrl-C.")
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
    BenchOptions options = flags.options();
    checkJson();
    Result result =
        new Bench(options, sockets(), Clock::nowNs, ShutdownSignals.install().stop(), progress())
            .run();
    PrintWriter err = spec.commandLine().getErr();
    PrintWriter out = "-".equals(json) ? err : spec.commandLine().getOut();
    if (result.hasNoConnection()) {
      err.println("waymark bench: no connection could be opened");
      result.failures().forEach(each -> err.println("  " + each));
      err.flush();
    } else if (!isQuiet) {
      Report.table(result).forEach(out::println);
      out.flush();
    }
    if (json != null) {
      writeJson(json, Figures.json(result, Version.current(), Clock.nowUnixMs()));
    }
    return result.exitCode();
  }

  private int serveEcho(String address) throws IOException {
    CountDownLatch stop = ShutdownSignals.install().stop();
    try (EchoServer server = open(address)) {
      PrintWriter out = spec.commandLine().getOut();
      out.println(
          "waymark bench: echo on " + ListenerPort.text(server.address()) + "; Ctrl-C stops it");
      out.flush();
      server.run(stop);
    }
    return 0;
  }

  private static EchoServer open(String text) {
    try {
      return new EchoServer(ListenAddresses.parse("--serve-echo", text));
    } catch (ConfigException bad) {
      throw new BenchException(String.valueOf(bad.getMessage()));
    } catch (IOException e) {
      throw new BenchException(
          "--serve-echo: "
              + text
              + " cannot be opened: "
              + e.getMessage()
              + "; choose another port");
    }
  }

  private ParameterException refused(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  // --- environment ---

  static Sockets sockets() {
    NettyTransport transport =
        NettyTransport.choose(Epoll.isAvailable() ? Transport.EPOLL : Transport.NIO);
    return new Sockets(transport.name(), transport.ioHandlers(), transport.clientType());
  }

  @SuppressWarnings("SystemConsoleNull") // for NullAway, System.console() may be null
  private Consumer<String> progress() {
    Console console = System.console();
    boolean isTerminal = console != null && console.isTerminal();
    if (isQuiet || (!isTerminal && !isProgress)) {
      return _ -> {};
    }
    PrintWriter err = spec.commandLine().getErr();
    return line -> {
      err.println(line);
      err.flush();
    };
  }

  /** Checks the file before the run, so that no figures are lost after it. */
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
}
