package dev.waymark.cli;

import dev.waymark.bridge.MemoryLimits;
import dev.waymark.config.BridgeConfig;
import dev.waymark.config.ConfigLoader;
import dev.waymark.config.JsonSchema;
import dev.waymark.config.LoadedConfig;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code waymark config}: inspects a configuration without starting anything. */
@Command(
    name = "config",
    description = "Check a configuration, show the one in force, or print its schema.",
    mixinStandardHelpOptions = true,
    versionProvider = VersionText.class,
    synopsisSubcommandLabel = "COMMAND")
final class ConfigCommand {
  @Spec private CommandSpec spec;

  ConfigCommand() {
    // A placeholder: picocli replaces it.
    spec = CommandSpec.create();
  }

  /** Prints the mistakes in the file that {@code bridge --config FILE} would report here. */
  @Command(
      description = {
        "Check FILE as a bridge would read it here, including WAYMARK_… variables, and report every mistake in it. Opens no ports, and reads no files for TLS."
      },
      mixinStandardHelpOptions = true,
      versionProvider = VersionText.class)
  int check(@Parameters(paramLabel = "FILE", description = "The configuration.") Path file) {
    Map<String, String> environment = ((Main) spec.root().userObject()).environment();
    LoadedConfig loaded =
        MemoryLimits.ofProcess().fit(ConfigLoader.load(Optional.of(file), Map.of(), environment));
    PrintWriter err = spec.commandLine().getErr();
    loaded.warnings().forEach(warning -> err.println("warning: " + warning));
    err.flush();
    BridgeConfig config = loaded.config();
    out()
        .println(
            file
                + ": ok ("
                + plural(config.listeners().size(), "listener")
                + ", "
                + plural(config.pools().size(), "pool")
                + ")");
    out().flush();
    return 0;
  }

  /** Takes the flags of {@code bridge}, to show their effect. */
  @Command(
      description = "Show every value in force, and where it came from.",
      mixinStandardHelpOptions = true,
      versionProvider = VersionText.class)
  int show(@Mixin BridgeFlags flags) {
    out().print(flags.load(spec.commandLine().getErr()).yaml());
    out().flush();
    return 0;
  }

  /** Prints the schema for editors; docs/configuration.md says how to set it up. */
  @Command(
      description = "Print a JSON Schema of the file, for completion and checks in editors.",
      mixinStandardHelpOptions = true,
      versionProvider = VersionText.class)
  int schema() {
    out().print(JsonSchema.text());
    out().flush();
    return 0;
  }

  private PrintWriter out() {
    return spec.commandLine().getOut();
  }

  private static String plural(int count, String thing) {
    return count + " " + thing + (count == 1 ? "" : "s");
  }
}
