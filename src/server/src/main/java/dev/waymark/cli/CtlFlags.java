package dev.waymark.cli;

import dev.waymark.config.ConfigException;
import dev.waymark.config.TokenFile;
import dev.waymark.tools.ctl.AdminAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The flags of all commands below {@code ctl}: which directories to ask, and how to print. */
final class CtlFlags {
  private static final String TOKEN_FLAG = "--directory-token-file";

  @Spec(Spec.Target.MIXEE)
  private @Nullable CommandSpec spec;

  @Option(
      names = "--directory-admin",
      paramLabel = "ADDR",
      defaultValue = "127.0.0.1:7480",
      description = "The admin port of a directory (default: ${DEFAULT-VALUE}). May be repeated.")
  private List<String> directories = List.of();

  @Option(
      names = TOKEN_FLAG,
      paramLabel = "FILE",
      description = "The file with the token for directories.")
  private @Nullable Path token;

  @Option(names = "--json", description = "Print JSON, as the admin ports answer.")
  private boolean isJson;

  boolean isJson() {
    return isJson;
  }

  List<AdminAddress> directories() {
    return addresses("--directory-admin", directories, TOKEN_FLAG, token);
  }

  /**
   * Reads the admin ports that a flag names, and the token for them.
   *
   * @param tokenFile null: none
   */
  List<AdminAddress> addresses(
      String flag, List<String> texts, String tokenFlag, @Nullable Path tokenFile) {
    Optional<String> secret = Optional.empty();
    try {
      secret = Optional.ofNullable(tokenFile).map(TokenFile::read);
    } catch (ConfigException unusable) {
      throw refused(tokenFlag + ": " + unusable.getMessage());
    }
    List<AdminAddress> addresses = new ArrayList<>();
    for (String text : texts) {
      addresses.add(
          AdminAddress.read(text, secret, tokenFlag)
              .orElseThrow(() ->
                  refused(
                      flag
                          + ": "
                          + text
                          + " (expected: HOST:PORT of an admin port, such as 127.0.0.1:7080)")));
    }
    return addresses;
  }

  private ParameterException refused(String message) {
    if (spec == null) {
      throw new IllegalStateException("picocli sets the spec");
    }
    return new ParameterException(spec.commandLine(), message);
  }
}
