package dev.waymark.cli;

import com.google.gson.JsonObject;
import dev.waymark.tools.ctl.AdminAddress;
import dev.waymark.tools.ctl.AdminClient;
import dev.waymark.tools.ctl.Answer;
import dev.waymark.tools.ctl.DirectoryTable;
import java.io.PrintWriter;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code waymark ctl directory}: what directories know, as tables. */
@Command(
    name = "directory",
    description = "Print what a directory knows.",
    mixinStandardHelpOptions = true,
    versionProvider = VersionText.class,
    synopsisSubcommandLabel = "COMMAND")
final class CtlDirectoryCommand {
  @Spec private CommandSpec spec;

  CtlDirectoryCommand() {
    // A placeholder: picocli replaces it.
    spec = CommandSpec.create();
  }

  @Command(
      description = "The services, and how many instances each has.",
      mixinStandardHelpOptions = true,
      versionProvider = VersionText.class)
  int services(@Mixin CtlFlags flags, @Mixin RequestFlags requests) {
    return print(DirectoryTable.SERVICES, flags, requests);
  }

  @Command(
      description = "The instances of a service.",
      mixinStandardHelpOptions = true,
      versionProvider = VersionText.class)
  int instances(
      @Parameters(paramLabel = "SERVICE", description = "The service.") String service,
      @Mixin CtlFlags flags,
      @Mixin RequestFlags requests) {
    return print(DirectoryTable.instances(service), flags, requests);
  }

  @Command(
      description = "Who has registered instances, and who has become unreachable.",
      mixinStandardHelpOptions = true,
      versionProvider = VersionText.class)
  int nodes(@Mixin CtlFlags flags, @Mixin RequestFlags requests) {
    return print(DirectoryTable.NODES, flags, requests);
  }

  @Command(
      description = "Who watches, and at which version.",
      mixinStandardHelpOptions = true,
      versionProvider = VersionText.class)
  int watchers(@Mixin CtlFlags flags, @Mixin RequestFlags requests) {
    return print(DirectoryTable.WATCHERS, flags, requests);
  }

  /** Asks all directories; returns 1 if one of them gives no answer. */
  private int print(DirectoryTable table, CtlFlags flags, RequestFlags requests) {
    List<AdminAddress> directories = flags.directories();
    int exitCode = 0;
    try (AdminClient client = new AdminClient(requests.sslContext(), requests.limit())) {
      for (AdminAddress directory : directories) {
        if (directories.size() > 1 && !flags.isJson()) {
          out().println("directory " + directory.address());
        }
        switch (client.ask(directory, table.path()).join()) {
          case Answer.Told(List<JsonObject> bodies) ->
              out()
                  .print(
                      flags.isJson()
                          ? CtlCommand.json(bodies.getFirst())
                          : table.text(bodies.getFirst()));
          case Answer.Failed(String problem) -> {
            out().flush();
            PrintWriter err = spec.commandLine().getErr();
            err.println("ctl directory: " + directory.address() + ": " + problem);
            err.flush();
            exitCode = CliErrors.FAILED;
          }
        }
      }
    }
    out().flush();
    return exitCode;
  }

  private PrintWriter out() {
    return spec.commandLine().getOut();
  }
}
