package dev.waymark.cli;

import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The one binary: `waymark COMMAND`. */
@Command(
    name = "waymark",
    description =
        "Long-lived TCP connections, marked and multiplexed over gRPC to upstreams that need no state.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      BridgeCommand.class,
      StubCommand.class,
      DemoCommand.class,
      BenchCommand.class,
      ConfigCommand.class,
      HealthCommand.class,
      TrainCommand.class
    })
public final class Main {
  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Show the stack of an unexpected failure (also: WAYMARK_DEBUG=1).")
  private boolean isDebug;

  private Main() {}

  public static void main(String[] args) {
    System.exit(commandLine(System.getenv()).execute(args));
  }

  /** All commands, with {@link Failures} as the last resort. */
  static CommandLine commandLine(Map<String, String> environment) {
    Failures failures = new Failures(environment);
    return new CommandLine(new Main())
        .setParameterExceptionHandler(failures)
        .setExecutionExceptionHandler(failures);
  }

  boolean isDebug() {
    return isDebug;
  }
}
