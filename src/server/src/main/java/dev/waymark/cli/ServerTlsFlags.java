package dev.waymark.cli;

import dev.waymark.bridge.Clock;
import dev.waymark.config.BadValueException;
import dev.waymark.config.CertificateFiles;
import dev.waymark.config.ClientTlsConfig;
import dev.waymark.config.ConfigException;
import dev.waymark.config.HostPort;
import dev.waymark.config.TlsKeys.Engine;
import dev.waymark.config.TlsKeys.KeyPermissions;
import dev.waymark.config.TlsKeys.MissingCloseNotify;
import dev.waymark.net.tls.TlsFileCheck;
import dev.waymark.net.tls.TlsFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The flags of an egress that speaks TLS to its server. */
final class ServerTlsFlags {
  @Spec(Spec.Target.MIXEE)
  private @Nullable CommandSpec spec;

  @Option(
      names = "--to-tls",
      description = "Speak TLS to the server, and verify it. The files below are watched.")
  private boolean isOn;

  @Option(
      names = "--to-ca",
      paramLabel = "FILE",
      description =
          "The CAs that the server's certificate may come from (PEM; default: those of the JDK).")
  private @Nullable Path ca;

  @Option(
      names = "--to-certificate",
      paramLabel = "FILE",
      description = "The certificate to present to the server (PEM).")
  private @Nullable Path certificate;

  @Option(
      names = "--to-key",
      paramLabel = "FILE",
      description = "Its private key (PEM; default: in the certificate's file).")
  private @Nullable Path key;

  @Option(
      names = "--to-server-name",
      paramLabel = "NAME",
      description =
          "The name that the server's certificate must have, and that SNI asks for (default: the"
              + " host in --to).")
  private @Nullable String serverName;

  @Option(
      names = "--to-missing-close-notify",
      paramLabel = "MEANING",
      defaultValue = "lost",
      description =
          "What a FIN of the server without TLS's close_notify means. lost: the connection is reset,"
              + " as bytes may be missing. end: the end of its stream (default: ${DEFAULT-VALUE}).")
  private MissingCloseNotify missingCloseNotify = MissingCloseNotify.LOST;

  MissingCloseNotify missingCloseNotify() {
    return missingCloseNotify;
  }

  /**
   * Returns how to speak TLS to the server; empty for plain TCP. Reads the files.
   *
   * @param permissions who may be able to read the private key
   * @throws ConfigException with a line for each file that cannot be used
   */
  Optional<ClientTlsConfig> config(KeyPermissions permissions) {
    if (!isOn) {
      if (ca != null || certificate != null || key != null || serverName != null) {
        throw refused("--to-ca, --to-certificate, --to-key and --to-server-name need --to-tls");
      }
      return Optional.empty();
    }
    if (key != null && certificate == null) {
      throw refused("--to-key needs --to-certificate");
    }
    Optional<CertificateFiles> identity =
        Optional.ofNullable(certificate)
            .map(file -> new CertificateFiles(file, key == null ? file : key));
    ClientTlsConfig config =
        new ClientTlsConfig(
            "server",
            Optional.ofNullable(ca),
            identity,
            permissions,
            // With BoringSSL, a client could not end its stream and still get replies.
            Engine.JDK,
            Optional.empty(),
            Optional.ofNullable(serverName).map(this::serverName),
            List.of());
    List<TlsFileException> problems = TlsFileCheck.of(config, Clock.now());
    if (!problems.isEmpty()) {
      throw refusal(problems);
    }
    return Optional.of(config);
  }

  /** The refusal of these files, with a line for each. */
  ConfigException refusal(List<TlsFileException> problems) {
    return new TlsFileFlags()
        .with("--to-ca", ca)
        .with("--to-certificate", certificate)
        .with("--to-key", key)
        .refusal(problems);
  }

  private String serverName(String name) {
    try {
      return HostPort.dialled(name + ":1").host();
    } catch (BadValueException bad) {
      throw refused(
          "--to-server-name: " + name + " (expected: the name of a host, such as redis.internal)");
    }
  }

  private ParameterException refused(String message) {
    if (spec == null) {
      throw new IllegalStateException("picocli sets the spec");
    }
    return new ParameterException(spec.commandLine(), message);
  }
}
