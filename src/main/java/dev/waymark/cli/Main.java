package dev.waymark.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The one binary: `waymark COMMAND`. */
@Command(
    name = "waymark",
    description = "Long-lived TCP connections, marked and multiplexed over gRPC to stateless back-ends.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {StubCommand.class})
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    System.exit(new CommandLine(new Main()).execute(args));
  }
}
