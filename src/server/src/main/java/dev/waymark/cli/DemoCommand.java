package dev.waymark.cli;

import dev.waymark.bridge.Clock;
import dev.waymark.tools.demo.Demo;
import dev.waymark.tools.demo.DemoException;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code waymark demo}: shows that clients do not notice when upstreams come and go. */
@Command(
    name = "demo",
    description = {
      "Starts a bridge, three upstreams and clients that check every reply; kills, freezes, drains and restarts the upstreams.",
      "Exit code 3 if a reply was lost or duplicated, or a connection was closed."
    },
    mixinStandardHelpOptions = true,
    versionProvider = VersionText.class)
final class DemoCommand implements Callable<Integer> {
  private static final int CLIENTS_MAX = 5_000;
  private static final int SEEDS = 1_000_000;

  @Spec private @Nullable CommandSpec spec;

  @Option(
      names = "--seconds",
      paramLabel = "N",
      defaultValue = "0",
      converter = LengthOfTime.WholeSeconds.class,
      description = "Duration, in seconds or with a unit; 0, the default: until Ctrl-C.")
  private int seconds;

  @Option(
      names = "--clients",
      paramLabel = "N",
      defaultValue = "200",
      description = "Connections (default: ${DEFAULT-VALUE}).")
  private int clients;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed for the order of faults; by default different each time.")
  private @Nullable Long seed;

  @Override
  public Integer call() throws InterruptedException {
    CommandSpec command = Objects.requireNonNull(spec);
    if (seconds < 0 || clients < 1 || clients > CLIENTS_MAX) {
      throw new ParameterException(
          command.commandLine(),
          String.format(
              Locale.ROOT,
              "--seconds must be 0 or more, --clients 1 to %d; got %d and %d",
              CLIENTS_MAX,
              seconds,
              clients));
    }
    long order = seed == null ? Math.floorMod(Clock.nowUnixMs(), SEEDS) : seed;
    ShutdownSignals signals = ShutdownSignals.install();
    Main main = (Main) command.root().userObject();
    Demo demo =
        new Demo(
            new Demo.Options(seconds, clients, order),
            command.commandLine().getOut(),
            Terminal.canRedraw(System.console(), main.environment()),
            signals.stop(),
            Clock::nowNs);
    try {
      return demo.run();
    } catch (DemoException failure) {
      command.commandLine().getErr().println("waymark demo: " + failure.getMessage());
      return 1;
    }
  }
}
