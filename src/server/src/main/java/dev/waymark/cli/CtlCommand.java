package dev.waymark.cli;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import dev.waymark.tools.ctl.AdminAddress;
import dev.waymark.tools.ctl.AdminClient;
import dev.waymark.tools.ctl.ExplainQuery;
import dev.waymark.tools.ctl.Explanation;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code waymark ctl}: asks running bridges and directories. */
@Command(
    name = "ctl",
    description = "Ask running bridges and directories what they know, and why.",
    mixinStandardHelpOptions = true,
    versionProvider = VersionText.class,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = CtlDirectoryCommand.class)
final class CtlCommand {
  private static final String ADMIN_FLAG = "--admin";
  private static final String TOKEN_FLAG = "--token-file";
  private static final Gson JSON =
      new GsonBuilder().serializeNulls().disableHtmlEscaping().setPrettyPrinting().create();

  @Spec private CommandSpec spec;

  CtlCommand() {
    // A placeholder: picocli replaces it.
    spec = CommandSpec.create();
  }

  /** Prints what is known of a service, by whom, and why an instance gets no connections. */
  @Command(
      description = {
        "Say of each instance of SERVICE, or of the one at ADDRESS, what the directory has, what each bridge hears of it and makes of it, and why it gets no connections. SERVICE is the name of a pool, or of the service that its target names.",
        "Exit code 0 if anybody knows it, 1 if nobody does."
      },
      mixinStandardHelpOptions = true,
      versionProvider = VersionText.class)
  int explain(
      @Parameters(paramLabel = "SERVICE[/ADDRESS]", description = "For example, echo.")
          String service,
      @Option(
              names = ADMIN_FLAG,
              paramLabel = "ADDR",
              defaultValue = "127.0.0.1:7080",
              description =
                  "The admin port of a bridge (default: ${DEFAULT-VALUE}). May be repeated.")
          List<String> bridges,
      @Option(
              names = TOKEN_FLAG,
              paramLabel = "FILE",
              description = "The file with the token for bridges.")
          @Nullable Path token,
      @Mixin CtlFlags flags,
      @Mixin RequestFlags requests) {
    ExplainQuery query = ExplainQuery.read(service);
    List<AdminAddress> directories = flags.directories();
    List<AdminAddress> admins = flags.addresses(ADMIN_FLAG, bridges, TOKEN_FLAG, token);
    JsonObject answers;
    try (AdminClient client = new AdminClient(requests.sslContext(), requests.limit())) {
      answers = query.ask(client, directories, admins);
    }
    Explanation explanation = new Explanation(query, answers);
    PrintWriter out = spec.commandLine().getOut();
    out.print(flags.isJson() ? json(answers) : explanation.text());
    out.flush();
    if (explanation.isFound()) {
      return 0;
    }
    PrintWriter err = spec.commandLine().getErr();
    err.println("ctl explain: nobody who has answered knows " + service);
    err.flush();
    return 1;
  }

  /** JSON as it is printed, with its last line end. */
  static String json(JsonObject value) {
    return JSON.toJson(value) + "\n";
  }
}
