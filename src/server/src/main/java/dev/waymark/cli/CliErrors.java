package dev.waymark.cli;

import dev.waymark.config.ConfigException;
import dev.waymark.config.Nearest;
import java.io.PrintWriter;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.Model.CommandSpec;
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
    return kind
        + name
        + Nearest.to(name, known).map(near -> "; did you mean " + near + "?").orElse("");
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
    err.println("waymark: " + oneLine(failure) + (isDebug ? "" : " (--debug shows where)"));
    if (isDebug) {
      failure.printStackTrace(err);
    }
    err.flush();
    return FAILED;
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
