package dev.waymark.cli;

import dev.waymark.admin.AddressInUse;
import dev.waymark.admin.EventLog;
import dev.waymark.admin.Logging;
import dev.waymark.cli.bench.Bench;
import dev.waymark.cli.bench.BenchOptions;
import dev.waymark.config.ConfigLoader;
import dev.waymark.config.LoadedConfig;
import dev.waymark.upstream.stub.StubOptions;
import dev.waymark.upstream.stub.StubServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;

/**
 * `waymark train`: some seconds of everything in one process, for the launcher, which has the JVM
 * write down what it learns by it (`-XX:AOTCacheOutput`; docs/performance.md, Start).
 */
@Command(
    name = "train",
    hidden = true,
    description = "Runs a bridge, an upstream and clients for some seconds, and ends.")
final class TrainCommand implements Callable<Integer> {
  private static final InetSocketAddress ANY = new InetSocketAddress("127.0.0.1", 0);
  private static final double SECONDS = 2;

  @Override
  public Integer call() throws IOException, AddressInUse, InterruptedException {
    try (StubServer stub = StubServer.start(List.of(ANY), StubOptions.ECHO)) {
      Map<String, String> flags =
          Map.of(
              "--listen", "127.0.0.1:0",
              "--upstream", "static:///127.0.0.1:" + stub.port(),
              "--admin", "127.0.0.1:0",
              "--log-level", "error");
      LoadedConfig config = ConfigLoader.load(Optional.empty(), flags, Map.of());
      Logging.configure(config.config().log(), System.err);
      Bridge bridge = new Bridge(config, Optional.empty(), new EventLog(Clock::nowNs));
      bridge.startAdmin();
      bridge.start(new CountDownLatch(1));
      InetSocketAddress clients = bridge.ports().getFirst().address();
      ask(clients, 100, 64, 1);
      ask(clients, 16, 64 * 1024, 4);
      bridge.stop();
    }
    return 0;
  }

  private static void ask(InetSocketAddress target, int connections, int bytes, int window)
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
            false,
            1,
            1_000,
            List.of());
    new Bench(options, BenchCommand.sockets(), Clock::nowNs, new CountDownLatch(1), _ -> {}).run();
  }
}
