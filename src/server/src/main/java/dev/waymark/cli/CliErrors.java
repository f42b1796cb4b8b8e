package dev.waymark.cli;

import dev.waymark.bridge.StartException;
import dev.waymark.config.ConfigException;
import dev.waymark.config.ConfigLoader;
import dev.waymark.config.Nearest;
import dev.waymark.tools.bench.BenchException;
import dev.waymark.tools.demo.DemoException;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * Reports the failure of a command: one line on standard error, or one per mistake in a
 * configuration. The exit code is 2 if the user can fix it in flags or file, otherwise 1. Stack
 * traces are printed only on request.
 */
final class CliErrors implements IParameterExceptionHandler, IExecutionExceptionHandler {
  static final int FAILED = 1;
  static final int BAD_USAGE = 2;

  private final Map<String, String> environment;

  CliErrors(Map<String, String> environment) {
    this.environment = environment;
  }

  @Override
  public int handleParseException(ParameterException refused, String[] args) {
    CommandLine command = refused.getCommandLine();
    PrintWriter err = command.getErr();
    err.println(message(refused));
    err.println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
    err.flush();
    return BAD_USAGE;
  }

  private static String message(ParameterException refused) {
    if (refused.getArgSpec() instanceof OptionSpec flag && flag.type().isEnum()) {
      return flag.longestName() + ": " + refused.getValue() + " (expected: " + words(flag) + ")";
    }
    if (!(refused instanceof UnmatchedArgumentException unmatched)) {
      return oneLine(refused);
    }
    String argument = unmatched.getUnmatched().getFirst();
    CommandSpec command = refused.getCommandLine().getCommandSpec();
    boolean isFlag = argument.startsWith("-");
    Set<String> known =
        isFlag ? command.optionsMap().keySet() : refused.getCommandLine().getSubcommands().keySet();
    String kind =
        isFlag ? "unknown flag " : known.isEmpty() ? "unknown argument " : "unknown command ";
    String name = argument.split("=", 2)[0];
    return kind + name + hint(name, known);
  }

  /** What may be meant by a name that is unknown. */
  private static String hint(String name, Set<String> known) {
    boolean takesFile = known.contains("--config");
    Optional<String> key = takesFile ? ConfigLoader.keyLike(name) : Optional.empty();
    return key.map(path -> "; set the key " + path + " in the file of --config")
        .or(() -> Nearest.to(name, known).map(near -> "; did you mean " + near + "?"))
        .orElse("");
  }

  /** The values of a flag, as people write them. */
  private static String words(OptionSpec flag) {
    return Arrays.stream(flag.type().getEnumConstants())
        .map(constant -> constant.toString().toLowerCase(Locale.ROOT))
        .collect(Collectors.joining(" or "));
  }

  @Override
  public int handleExecutionException(Exception failure, CommandLine command, ParseResult result) {
    PrintWriter err = command.getErr();
    if (failure instanceof ConfigException refused) {
      err.println(refused.getMessage());
      err.flush();
      return BAD_USAGE;
    }
    boolean isDebug = isDebug(command);
    boolean isHintUseful = !isDebug && !isForTheUser(failure);
    err.println("waymark: " + oneLine(failure) + (isHintUseful ? " (--debug shows where)" : ""));
    if (isDebug) {
      failure.printStackTrace(err);
    }
    err.flush();
    return FAILED;
  }

  /** Whether the message says all: where in the code it was found does not help. */
  private static boolean isForTheUser(Exception failure) {
    return failure instanceof StartException
        || failure instanceof BenchException
        || failure instanceof DemoException;
  }

  private boolean isDebug(CommandLine command) {
    Object root = command.getCommandSpec().root().userObject();
    return !environment.getOrDefault("WAYMARK_DEBUG", "").isEmpty()
        || (root instanceof Main main && main.isDebug());
  }

  private static String oneLine(Exception failure) {
    String message = failure.getMessage();
    String text = message == null ? failure.getClass().getSimpleName() : message;
    return String.join(" ", text.lines().map(String::strip).toList());
  }
}
