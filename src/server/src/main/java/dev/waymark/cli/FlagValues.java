package dev.waymark.cli;

import dev.waymark.config.ConfigException;
import dev.waymark.config.ListenAddresses;
import dev.waymark.tools.stub.DelayText;
import java.net.InetSocketAddress;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * Reads the values that picocli passes on as text, and says what is wrong with them: a mixin
 * without flags of its own, which picocli accepts as a command.
 */
@Command
final class FlagValues {
  private static final int EXIT_FAILED = 1;

  @Spec(Spec.Target.MIXEE)
  private @Nullable CommandSpec spec;

  CommandSpec spec() {
    if (spec == null) {
      throw new IllegalStateException("picocli sets the spec");
    }
    return spec;
  }

  Duration duration(String flag, String text) {
    try {
      return DelayText.parse(text);
    } catch (IllegalArgumentException bad) {
      throw refused(flag + ": " + bad.getMessage());
    }
  }

  InetSocketAddress address(String flag, String text) {
    try {
      return ListenAddresses.parse(flag, text);
    } catch (ConfigException bad) {
      throw refused(String.valueOf(bad.getMessage()));
    }
  }

  /** The user's mistake, to be thrown. */
  ParameterException refused(String message) {
    return new ParameterException(spec().commandLine(), message);
  }

  /**
   * Says that a port cannot be opened.
   *
   * @return the exit code
   */
  int cannotListen(String flag, String where, String cause) {
    spec()
        .commandLine()
        .getErr()
        .println(
            "waymark "
                + spec().name()
                + ": cannot listen on "
                + where
                + " ("
                + flag
                + "): "
                + cause
                + (cause.contains("in use")
                    ? "; stop the process that uses the port, or choose another"
                    : "; choose another address"));
    return EXIT_FAILED;
  }
}
