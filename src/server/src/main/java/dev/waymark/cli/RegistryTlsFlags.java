package dev.waymark.cli;

import dev.waymark.bridge.Clock;
import dev.waymark.config.BadValueException;
import dev.waymark.config.CertificateFiles;
import dev.waymark.config.ClientTlsConfig;
import dev.waymark.config.ConfigException;
import dev.waymark.config.HostPort;
import dev.waymark.config.TlsKeys.Engine;
import dev.waymark.config.TlsKeys.KeyPermissions;
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

/** The flags of a command that speaks TLS to registries. */
final class RegistryTlsFlags {
  @Spec(Spec.Target.MIXEE)
  private @Nullable CommandSpec spec;

  @Option(names = "--registry-tls", description = "Speak TLS to the registries, and verify them.")
  private boolean isOn;

  @Option(
      names = "--registry-ca",
      paramLabel = "FILE",
      description =
          "The CAs that their certificates may come from (PEM; default: those of the JDK).")
  private @Nullable Path ca;

  @Option(
      names = "--registry-certificate",
      paramLabel = "FILE",
      description = "The certificate to present to them (PEM). Read for each connection.")
  private @Nullable Path certificate;

  @Option(
      names = "--registry-key",
      paramLabel = "FILE",
      description = "Its private key (PEM; default: in the certificate's file).")
  private @Nullable Path key;

  @Option(
      names = "--registry-server-name",
      paramLabel = "NAME",
      description = "The name that their certificates must have (default: the host in --registry).")
  private @Nullable String serverName;

  @Option(
      names = "--key-permissions",
      paramLabel = "WHO",
      defaultValue = "strict",
      description =
          "strict: a file with a private key that everybody may read is refused; any: it is not"
              + " (default: ${DEFAULT-VALUE}).")
  private KeyPermissions keyPermissions = KeyPermissions.STRICT;

  /**
   * Returns how to speak TLS to the registries; empty for plain text. Reads the files.
   *
   * @throws ConfigException with a line for each file that cannot be used
   */
  Optional<ClientTlsConfig> config() {
    if (!isOn) {
      if (ca != null || certificate != null || key != null || serverName != null) {
        throw refused(
            "--registry-ca, --registry-certificate, --registry-key and --registry-server-name need"
                + " --registry-tls");
      }
      return Optional.empty();
    }
    if (key != null && certificate == null) {
      throw refused("--registry-key needs --registry-certificate");
    }
    Optional<CertificateFiles> identity =
        Optional.ofNullable(certificate)
            .map(file -> new CertificateFiles(file, key == null ? file : key));
    ClientTlsConfig config =
        new ClientTlsConfig(
            "registry",
            Optional.ofNullable(ca),
            identity,
            keyPermissions,
            Engine.AUTO,
            Optional.of("h2"),
            Optional.ofNullable(serverName).map(this::serverName),
            List.of());
    List<TlsFileException> problems = TlsFileCheck.of(config, Clock.now());
    if (!problems.isEmpty()) {
      throw new TlsFileFlags()
          .with("--registry-ca", ca)
          .with("--registry-certificate", certificate)
          .with("--registry-key", key)
          .refusal(problems);
    }
    return Optional.of(config);
  }

  private String serverName(String name) {
    try {
      return HostPort.dialled(name + ":1").host();
    } catch (BadValueException bad) {
      throw refused(
          "--registry-server-name: "
              + name
              + " (expected: the name of a host, such as directory.internal)");
    }
  }

  private ParameterException refused(String message) {
    if (spec == null) {
      throw new IllegalStateException("picocli sets the spec");
    }
    return new ParameterException(spec.commandLine(), message);
  }
}
