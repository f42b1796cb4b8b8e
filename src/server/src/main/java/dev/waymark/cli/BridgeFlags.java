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
 * The flags of {@code bridge}, for a field with {@link Mixin}: {@code --config}, and one for each
 * key of the configuration that has a flag. Their texts are read and checked with the file, not
 * here.
 */
final class BridgeFlags {
  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "The configuration; flags and WAYMARK_… variables overrule it.")
  private @Nullable Path file;

  private final Map<String, String> flags = new LinkedHashMap<>();
  private @Nullable CommandSpec command;

  /** Called by picocli when the command is made. */
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
                    .setter(new Keeper(name))
                    .build()));
  }

  /**
   * The configuration in force in this process; warnings are printed.
   *
   * @throws dev.waymark.config.ConfigException which {@link Main} reports
   */
  LoadedConfig load(PrintWriter err) {
    return load(environment(), err);
  }

  /** Reads the configuration again, in the same way; empty where no file is part of it. */
  Optional<Supplier<LoadedConfig>> again() {
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

  /** Keeps a flag's text, or forgets it when picocli resets its options. */
  private final class Keeper implements ISetter {
    private final String flag;

    Keeper(String flag) {
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
