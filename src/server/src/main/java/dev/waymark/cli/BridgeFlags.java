package dev.waymark.cli;

import dev.waymark.bridge.MemoryLimits;
import dev.waymark.config.ConfigLoader;
import dev.waymark.config.LoadedConfig;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.ISetter;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * The flags of {@code bridge}, for a {@link Mixin} field: {@code --config}, and one for each
 * configuration key that has a flag. Their values are parsed and checked together with the file,
 * not here.
 */
final class BridgeFlags {
  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "The configuration file; flags and WAYMARK_… variables override it.")
  private @Nullable Path file;

  private final Map<String, String> flags = new LinkedHashMap<>();
  private @Nullable CommandSpec command;

  /** Called by picocli when the command is created. */
  @Spec(Spec.Target.MIXEE)
  void addFlags(CommandSpec command) {
    this.command = command;
    ConfigLoader.flags()
        .forEach((name, meaning) ->
            command.addOption(
                OptionSpec.builder(name)
                    .paramLabel("VALUE")
                    .type(String.class)
                    .description(meaning.replace("%", "%%"))
                    .setter(new FlagSetter(name))
                    .build()));
  }

  /**
   * Loads the configuration of this process and prints warnings.
   *
   * @throws dev.waymark.config.ConfigException if it is invalid; {@link CliErrors} reports it
   */
  LoadedConfig load(PrintWriter err) {
    return load(environment(), err);
  }

  /** Reads the configuration again for a reload; empty if there is no configuration file. */
  Optional<Supplier<LoadedConfig>> reader() {
    Map<String, String> environment = environment();
    return file(environment)
        .map(given ->
            () ->
                MemoryLimits.ofProcess()
                    .fit(ConfigLoader.load(Optional.of(given), flags, environment)));
  }

  private Map<String, String> environment() {
    return ((Main) Objects.requireNonNull(command).root().userObject()).environment();
  }

  private Optional<Path> file(Map<String, String> environment) {
    return Optional.ofNullable(file)
        .or(() ->
            Optional.ofNullable(environment.get("WAYMARK_CONFIG"))
                .filter(name -> !name.isEmpty())
                .map(Path::of));
  }

  LoadedConfig load(Map<String, String> environment, PrintWriter err) {
    LoadedConfig loaded =
        MemoryLimits.ofProcess().fit(ConfigLoader.load(file(environment), flags, environment));
    loaded.warnings().forEach(warning -> err.println("warning: " + warning));
    err.flush();
    return loaded;
  }

  /** Stores a flag's text, or removes it when picocli resets its options. */
  private final class FlagSetter implements ISetter {
    private final String flag;

    FlagSetter(String flag) {
      this.flag = flag;
    }

    @Override
    public <T> T set(T text) {
      if (text instanceof String given) {
        flags.put(flag, given);
      } else {
        flags.remove(flag);
      }
      return text;
    }
  }
}
