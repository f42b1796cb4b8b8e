package dev.waymark.cli;

import java.util.List;
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
    synopsisSubcommandLabel = "COMMAND")
public final class Main {
  /** In the order of the help. */
  private static final List<Class<?>> COMMANDS =
      List.of(
          BridgeCommand.class,
          StubCommand.class,
          DemoCommand.class,
          BenchCommand.class,
          ConfigCommand.class,
          HealthCommand.class,
          TrainCommand.class);

  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Show the stack of an unexpected failure (also: WAYMARK_DEBUG=1).")
  private boolean isDebug;

  private Main() {}

  public static void main(String[] args) {
    System.exit(commandLine(System.getenv(), args).execute(args));
  }

  /**
   * The command that the first argument names, or else all, as each costs some 15 ms of a start;
   * with {@link Failures} as the last resort.
   */
  static CommandLine commandLine(Map<String, String> environment, String... args) {
    Failures failures = new Failures(environment);
    CommandLine line = new CommandLine(new Main());
    List<Class<?>> asked =
        COMMANDS.stream()
            .filter(command -> args.length > 0 && name(command).equals(args[0]))
            .toList();
    (asked.isEmpty() ? COMMANDS : asked).forEach(line::addSubcommand);
    return line.setParameterExceptionHandler(failures).setExecutionExceptionHandler(failures);
  }

  private static String name(Class<?> command) {
    return command.getAnnotation(Command.class).name();
  }

  boolean isDebug() {
    return isDebug;
  }
}
