package dev.waymark.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BooleanSupplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;

/** The one binary: {@code waymark COMMAND}. */
@Command(
    name = "waymark",
    description =
        "Long-lived TCP connections, marked and multiplexed over gRPC to upstreams that need no state.",
    mixinStandardHelpOptions = true,
    versionProvider = VersionText.class,
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

  /**
   * Of Netty, which reads them once: stack traces of a sample of its buffers, and JFR events for
   * each (docs/decisions/0023). Who sets one has the last word.
   */
  private static final Map<String, String> NETTY =
      Map.of("io.netty.leakDetection.level", "disabled", "io.netty.jfr.enabled", "false");

  /** Their output is queued: it is beside the point of what they do, and must not stop it. */
  private static final List<Class<?>> LONG_RUNNING =
      List.of(BridgeCommand.class, StubCommand.class, DemoCommand.class);

  /** Whose one line of output is a courtesy. */
  private static final List<Class<?>> SERVERS = List.of(BridgeCommand.class, StubCommand.class);

  private final Map<String, String> environment;
  private final StandardStreams streams;

  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Show the stack of an unexpected failure (also: WAYMARK_DEBUG=1).")
  private boolean isDebug;

  private Main(Map<String, String> environment, StandardStreams streams) {
    this.environment = environment;
    this.streams = streams;
  }

  public static void main(String[] args) {
    if (command(args).equals("bridge")) {
      Hangup.outlive();
    }
    // Our own code never asks for it; libraries do, and not everybody's digits are 0 to 9.
    Locale.setDefault(Locale.ROOT);
    NETTY.forEach(System.getProperties()::putIfAbsent);
    StandardStreams streams = new StandardStreams();
    streams.install();
    CommandLine line = commandLine(System.getenv(), streams, args);
    if (!asked(LONG_RUNNING, args).isEmpty()) {
      line.setOut(streams.out());
    }
    System.exit(run(line, streams::isOutLost, args));
  }

  /**
   * Runs a command, which has failed where its output could not be written.
   *
   * @param isOutLost whether what was queued for standard output could not be written
   */
  static int run(CommandLine line, BooleanSupplier isOutLost, String... args) {
    int code = line.execute(args);
    boolean isServer = line.getParseResult() != null && isServer(line.getParseResult());
    if (code != 0 || isServer || !(line.getOut().checkError() || isOutLost.getAsBoolean())) {
      return code;
    }
    PrintWriter err = line.getErr();
    err.println("waymark: standard output cannot be written: it is closed, or its disk is full");
    err.flush();
    return CliErrors.FAILED;
  }

  /** Whether serving was the purpose, and not output; it was not with {@code --help}. */
  private static boolean isServer(ParseResult parsed) {
    return parsed.hasSubcommand()
        && SERVERS.contains(parsed.subcommand().commandSpec().userObject().getClass())
        && !parsed.subcommand().isUsageHelpRequested()
        && !parsed.subcommand().isVersionHelpRequested();
  }

  /**
   * The command that the arguments name, or else all: to make one takes time at each start. With
   * {@link CliErrors} as the last resort.
   */
  static CommandLine commandLine(Map<String, String> environment, String... args) {
    return commandLine(environment, new StandardStreams(), args);
  }

  private static CommandLine commandLine(
      Map<String, String> environment, StandardStreams streams, String... args) {
    CliErrors errors = new CliErrors(environment);
    CommandLine line = new CommandLine(new Main(environment, streams));
    List<Class<?>> asked = asked(COMMANDS, args);
    (asked.isEmpty() ? COMMANDS : asked).forEach(line::addSubcommand);
    if (Terminal.isDumb(environment)) {
      line.setColorScheme(Help.defaultColorScheme(Help.Ansi.OFF));
    }
    // `--reply @x` is a text, whatever files are here.
    line.setExpandAtFiles(false);
    return line.setParameterExceptionHandler(errors).setExecutionExceptionHandler(errors);
  }

  private static List<Class<?>> asked(List<Class<?>> commands, String... args) {
    return commands.stream().filter(known -> name(known).equals(command(args))).toList();
  }

  /**
   * What stands first, or behind {@code --debug}; empty if nothing does. As the launcher sees it.
   */
  private static String command(String... args) {
    int first = args.length > 0 && args[0].equals("--debug") ? 1 : 0;
    return args.length > first ? args[first] : "";
  }

  private static String name(Class<?> command) {
    return command.getAnnotation(Command.class).name();
  }

  /** What commands read in place of the process's own. */
  Map<String, String> environment() {
    return environment;
  }

  /** The process's own output. */
  StandardStreams streams() {
    return streams;
  }

  boolean isDebug() {
    return isDebug;
  }
}
