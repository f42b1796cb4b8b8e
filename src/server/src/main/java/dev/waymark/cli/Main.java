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

/** The entry point of all commands: {@code waymark COMMAND}. */
@Command(
    name = "waymark",
    description =
        "Long-lived TCP connections, marked and multiplexed over gRPC to stateless upstreams.",
    mixinStandardHelpOptions = true,
    versionProvider = VersionText.class,
    synopsisSubcommandLabel = "COMMAND")
public final class Main {
  /** In the order of {@code --help}. */
  private static final List<Class<?>> COMMANDS =
      List.of(
          BridgeCommand.class,
          DirectoryCommand.class,
          AgentCommand.class,
          EgressCommand.class,
          StubCommand.class,
          DemoCommand.class,
          BenchCommand.class,
          ConfigCommand.class,
          HealthCommand.class,
          CtlCommand.class,
          TrainCommand.class);

  /**
   * Defaults for system properties that Netty reads once: they turn off leak detection, which
   * records stack traces for a sample of buffers, and JFR events for every buffer
   * (docs/decisions/0023). Properties set by the user take precedence.
   */
  private static final Map<String, String> NETTY_DEFAULTS =
      Map.of("io.netty.leakDetection.level", "disabled", "io.netty.jfr.enabled", "false");

  /** Commands whose output is queued: it is incidental to their work and must not block it. */
  private static final List<Class<?>> LONG_RUNNING =
      List.of(
          BridgeCommand.class,
          DirectoryCommand.class,
          AgentCommand.class,
          EgressCommand.class,
          StubCommand.class,
          DemoCommand.class);

  /** Commands that do not fail if their output cannot be written. */
  private static final List<Class<?>> SERVERS =
      List.of(
          BridgeCommand.class,
          DirectoryCommand.class,
          AgentCommand.class,
          EgressCommand.class,
          StubCommand.class);

  private final Map<String, String> environment;
  private final StandardStreams streams;

  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Show the stack trace of an unexpected failure (also: WAYMARK_DEBUG=1).")
  private boolean isDebug;

  private Main(Map<String, String> environment, StandardStreams streams) {
    this.environment = environment;
    this.streams = streams;
  }

  public static void main(String[] args) {
    if (command(args).equals("bridge")) {
      Hangup.ignore();
    }
    // For libraries: some locales have digits other than 0 to 9. Our own code names its locale.
    Locale.setDefault(Locale.ROOT);
    NETTY_DEFAULTS.forEach(System.getProperties()::putIfAbsent);
    StandardStreams streams = new StandardStreams();
    streams.install();
    CommandLine line = commandLine(System.getenv(), streams, args);
    if (!named(LONG_RUNNING, args).isEmpty()) {
      line.setOut(streams.out());
    }
    System.exit(run(line, streams::isOutLost, args));
  }

  /**
   * Runs a command and returns its exit code. Except for servers, it fails if its output could not
   * be written.
   *
   * @param isOutLost whether output queued for standard output could not be written
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

  /** Whether the command ran a server, which {@code --help} and {@code --version} do not. */
  private static boolean isServer(ParseResult parsed) {
    return parsed.hasSubcommand()
        && SERVERS.contains(parsed.subcommand().commandSpec().userObject().getClass())
        && !parsed.subcommand().isUsageHelpRequested()
        && !parsed.subcommand().isVersionHelpRequested();
  }

  /**
   * Creates the command that the arguments name, or all if they name none: creating a command takes
   * time at every start. {@link CliErrors} handles failures.
   */
  static CommandLine commandLine(Map<String, String> environment, String... args) {
    return commandLine(environment, new StandardStreams(), args);
  }

  private static CommandLine commandLine(
      Map<String, String> environment, StandardStreams streams, String... args) {
    CliErrors errors = new CliErrors(environment);
    CommandLine line = new CommandLine(new Main(environment, streams));
    List<Class<?>> named = named(COMMANDS, args);
    (named.isEmpty() ? COMMANDS : named).forEach(line::addSubcommand);
    if (Terminal.isDumb(environment)) {
      line.setColorScheme(Help.defaultColorScheme(Help.Ansi.OFF));
    }
    // `--reply @x` is text: never read arguments from a file x.
    line.setExpandAtFiles(false);
    return line.setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler(errors)
        .setExecutionExceptionHandler(errors);
  }

  private static List<Class<?>> named(List<Class<?>> commands, String... args) {
    return commands.stream().filter(known -> name(known).equals(command(args))).toList();
  }

  /** The first argument, or the one after a leading {@code --debug}; empty if there is none. */
  private static String command(String... args) {
    int first = args.length > 0 && args[0].equals("--debug") ? 1 : 0;
    return args.length > first ? args[first] : "";
  }

  private static String name(Class<?> command) {
    return command.getAnnotation(Command.class).name();
  }

  /** The environment variables; commands must use them in place of {@link System#getenv()}. */
  Map<String, String> environment() {
    return environment;
  }

  /** The standard streams of the process. */
  StandardStreams streams() {
    return streams;
  }

  boolean isDebug() {
    return isDebug;
  }
}
