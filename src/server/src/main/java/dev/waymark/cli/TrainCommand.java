package dev.waymark.cli;

import dev.waymark.bridge.Clock;
import dev.waymark.tools.bench.Bench;
import dev.waymark.tools.bench.BenchOptions;
import dev.waymark.tools.stub.StubOptions;
import dev.waymark.tools.stub.StubServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PipedReader;
import java.io.PipedWriter;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import sun.misc.Signal;

/**
 * {@code waymark train}: the training run for the launcher's AOT cache ({@code -XX:AOTCacheOutput};
 * docs/performance.md, Start). Runs a bridge, started the way its command line starts it, with an
 * upstream and clients for a few seconds.
 */
@Command(
    name = TrainCommand.NAME,
    hidden = true,
    description = {
      "Runs a bridge, an upstream and clients for a few seconds, and exits.",
      "For the launcher, which records an AOT cache from it for faster starts (docs/decisions/0022): `bin/waymark train`, once after unpacking a release."
    },
    mixinStandardHelpOptions = true,
    versionProvider = VersionText.class)
final class TrainCommand implements Callable<Integer> {
  static final String NAME = "train";

  private static final InetSocketAddress ANY = new InetSocketAddress("127.0.0.1", 0);
  private static final Pattern PORT = Pattern.compile("listening on 127\\.0\\.0\\.1:(\\d+),");
  private static final double SECONDS = 2;

  @Override
  public Integer call() throws IOException, InterruptedException {
    try (StubServer stub = StubServer.start(List.of(ANY), StubOptions.ECHO);
        PipedReader output = new PipedReader()) {
      PrintWriter out = new PrintWriter(new PipedWriter(output));
      String[] bridge = {
        "bridge",
        "--listen=127.0.0.1:0",
        "--upstream=static:///127.0.0.1:" + stub.port(),
        "--admin=127.0.0.1:0"
      };
      CompletableFuture<Integer> exitCode = new CompletableFuture<>();
      Thread.ofPlatform().start(() -> exitCode.complete(run(bridge, out)));
      String readyLine = new BufferedReader(output).readLine();
      if (readyLine != null) {
        try {
          InetSocketAddress clients = address(readyLine);
          sendLoad(clients, 100, 64, 1);
          sendLoad(clients, 16, 64 * 1024, 4);
        } finally {
          Signal.raise(new Signal("TERM"));
        }
      }
      return exitCode.join();
    }
  }

  /** Runs a bridge until it ends, then closes its output, even if it failed. */
  private static int run(String[] bridge, PrintWriter out) {
    try (out) {
      return Main.commandLine(Map.of(), bridge).setOut(out).execute(bridge);
    }
  }

  private static InetSocketAddress address(String readyLine) {
    Matcher matcher = PORT.matcher(readyLine);
    if (!matcher.find()) {
      throw new IllegalStateException("no port in: " + readyLine);
    }
    return new InetSocketAddress(ANY.getAddress(), Integer.parseInt(matcher.group(1)));
  }

  private static void sendLoad(InetSocketAddress target, int connections, int bytes, int window)
      throws InterruptedException {
    BenchOptions options =
        new BenchOptions(
            "",
            BenchOptions.Mode.LOAD,
            List.of(target),
            connections,
            List.of(bytes),
            window,
            0,
            SECONDS,
            0,
            List.of(),
            BenchOptions.Tls.OFF,
            false,
            1,
            1_000,
            List.of());
    new Bench(options, BenchCommand.sockets(), Clock::nowNs, new CountDownLatch(1), _ -> {}).run();
  }
}
