package dev.waymark.cli;

import dev.waymark.api.http.AddressInUse;
import dev.waymark.bridge.Bridge;
import dev.waymark.bridge.Clock;
import dev.waymark.bridge.ReadyLine;
import dev.waymark.bridge.StartException;
import dev.waymark.bridge.TlsConfigCheck;
import dev.waymark.config.ClusterAccess;
import dev.waymark.config.LoadedConfig;
import dev.waymark.telemetry.EventLog;
import dev.waymark.telemetry.Logging;
import dev.waymark.telemetry.OutputQueue;
import java.io.PrintWriter;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code waymark bridge}: runs a bridge until SIGTERM or SIGINT. */
@Command(
    name = "bridge",
    description = "Accepts TCP clients and carries their bytes over gRPC to upstreams.",
    mixinStandardHelpOptions = true,
    versionProvider = VersionText.class)
final class BridgeCommand implements Callable<Integer> {
  @Mixin private BridgeFlags flags = new BridgeFlags();

  @Spec private @Nullable CommandSpec spec;

  @Override
  public Integer call() throws InterruptedException {
    PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    // Before the configuration is read: a SIGHUP after that may mean a newer version of the file.
    Hangup hangup =
        Hangup.install(
            why -> err.println("warning: SIGHUP stays ignored and cannot reload: " + why));
    LoadedConfig read = flags.load(err);
    Logging.configure(read.config().log(), System.err);
    TlsConfigCheck.check(read);
    ShutdownSignals signals = ShutdownSignals.install();
    EventLog log = new EventLog(Clock::nowNs);
    Main main = (Main) spec.root().userObject();
    OutputQueue errors = main.streams().err();
    errors.onDropped(log::onDropped);
    try (EmbeddedUpstream embedded = EmbeddedUpstream.start(read)) {
      LoadedConfig loaded = embedded.applyTo(read);
      Bridge bridge =
          new Bridge(
              loaded,
              reader(embedded),
              ClusterAccess.of(main.environment()),
              log,
              errors::droppedCount);
      Thread.setDefaultUncaughtExceptionHandler(
          (thread, failure) -> bridge.onUncaught(thread.getName(), failure));
      hangup.setHandler(bridge.reload()::onSignal);
      start(bridge, loaded, signals);
      if (bridge.readiness().isReady()) {
        out.println(new ReadyLine(bridge, loaded).text());
        out.flush();
        signals.await();
        bridge.drain(signals.hurry());
      }
      bridge.stop();
    }
    return 0;
  }

  private Optional<Supplier<LoadedConfig>> reader(EmbeddedUpstream embedded) {
    return flags.reader().map(reader -> () -> embedded.applyTo(reader.get()));
  }

  /**
   * Starts everything; on failure, stops what has been started. After a signal during the start the
   * bridge is not ready.
   */
  private static void start(Bridge bridge, LoadedConfig loaded, ShutdownSignals signals)
      throws InterruptedException {
    try {
      startAdmin(bridge, loaded);
      bridge.start(signals.stop());
    } catch (StartException failure) {
      bridge.stop();
      throw failure;
    }
  }

  private static void startAdmin(Bridge bridge, LoadedConfig loaded) {
    try {
      bridge.startAdmin();
    } catch (AddressInUse failure) {
      throw StartException.port(
          "admin (admin.address, --admin)", loaded.config().admin().address(), failure.why());
    }
  }
}
