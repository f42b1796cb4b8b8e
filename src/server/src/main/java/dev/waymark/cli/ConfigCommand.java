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

/** {@code waymark config}: looks at a configuration without starting anything. */
@Command(
    name = "config",
    description = "Check a configuration, show the one in force, or print its schema.",
    mixinStandardHelpOptions = true,
    versionProvider = VersionText.class,
    synopsisSubcommandLabel = "COMMAND")
final class ConfigCommand {
  @Spec private CommandSpec spec;

  ConfigCommand() {
    // picocli puts the real one in its place.
    spec = CommandSpec.create();
  }

  /** What {@code bridge --config FILE} would say here. */
  @Command(
      description = {
        "Check FILE and say all that is wrong with it, as a bridge would read it here: WAYMARK_… variables count. Nothing is opened."
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
                + counted(config.listeners().size(), "listener")
                + ", "
                + counted(config.pools().size(), "pool")
                + ")");
    out().flush();
    return 0;
  }

  /** Takes the flags of {@code bridge}, to show what they would do. */
  @Command(
      description = "Show every value in force, and where it came from.",
      mixinStandardHelpOptions = true,
      versionProvider = VersionText.class)
  int show(@Mixin BridgeFlags flags) {
    out().print(flags.load(spec.commandLine().getErr()).yaml());
    out().flush();
    return 0;
  }

  /** For editors; docs/configuration.md says how they find it. */
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

  private static String counted(int count, String thing) {
    return count + " " + thing + (count == 1 ? "" : "s");
  }
}
