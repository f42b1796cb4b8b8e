package dev.waymark.cli;

import dev.waymark.config.DurationText;
import dev.waymark.net.tls.ServerTrust;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The flags of a command that sends requests to admin ports. */
final class RequestFlags {
  private static final Duration TIMEOUT_MAX = Duration.ofHours(1);

  @Spec(Spec.Target.MIXEE)
  private @Nullable CommandSpec spec;

  @Option(
      names = "--timeout",
      paramLabel = "DURATION",
      defaultValue = "2s",
      description = "Time to wait for the response (default: ${DEFAULT-VALUE}).")
  private String timeout = "2s";

  @Option(
      names = "--ca",
      paramLabel = "FILE",
      description =
          "With https: the CAs that the port's certificate may come from, as PEM (default: those of the JDK).")
  private @Nullable Path ca;

  @Option(
      names = "--insecure",
      description =
          "With https: accept any certificate, as for a check on the same host, which asks for 127.0.0.1.")
  private boolean isInsecure;

  /** The time to wait for, as it was written. */
  String timeoutText() {
    return timeout;
  }

  Duration limit() {
    Duration limit = DurationText.parse(timeout);
    if (limit == null || limit.isZero() || limit.compareTo(TIMEOUT_MAX) > 0) {
      throw refused(
          "--timeout: "
              + timeout
              + ": expected a duration above 0 and up to 1h, such as 500ms or 2s");
    }
    return limit;
  }

  SSLContext sslContext() {
    if (ca != null && isInsecure) {
      throw refused("--ca and --insecure exclude each other; use only one of them");
    }
    try {
      return ServerTrust.context(ca, isInsecure);
    } catch (IOException | GeneralSecurityException unusable) {
      throw refused(
          "--ca: "
              + ca
              + ": "
              + (unusable instanceof NoSuchFileException ? "no such file" : unusable.getMessage())
              + " (expected: certificates as PEM)");
    }
  }

  private ParameterException refused(String message) {
    if (spec == null) {
      throw new IllegalStateException("picocli sets the spec");
    }
    return new ParameterException(spec.commandLine(), message);
  }
}
