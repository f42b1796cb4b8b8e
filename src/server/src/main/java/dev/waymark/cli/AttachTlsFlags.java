package dev.waymark.cli;

import dev.waymark.bridge.Clock;
import dev.waymark.config.CertificateFiles;
import dev.waymark.config.ServerTlsConfig;
import dev.waymark.config.ServerTlsConfig.ClientCertificates;
import dev.waymark.config.TlsKeys.ClientAuth;
import dev.waymark.config.TlsKeys.Engine;
import dev.waymark.config.TlsKeys.KeyPermissions;
import dev.waymark.net.tls.ServerTls;
import dev.waymark.net.tls.TlsFileCheck;
import dev.waymark.net.tls.TlsFileException;
import io.netty.handler.ssl.SslContext;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The flags of commands that serve gRPC over TLS. */
final class AttachTlsFlags {
  @Spec(Spec.Target.MIXEE)
  private @Nullable CommandSpec spec;

  @Option(
      names = "--tls-certificate",
      paramLabel = "FILE",
      description = "Serve over TLS, with this certificate (PEM).")
  private @Nullable Path certificate;

  @Option(
      names = "--tls-key",
      paramLabel = "FILE",
      description = "Its private key (PEM; default: in the certificate's file).")
  private @Nullable Path key;

  @Option(
      names = "--tls-client-ca",
      paramLabel = "FILE",
      description = "Serve only clients with a certificate from one of these CAs (PEM).")
  private @Nullable Path clientCa;

  @Option(
      names = "--key-permissions",
      paramLabel = "WHO",
      defaultValue = "strict",
      description =
          "strict: a file with a private key that everybody may read is refused; any: it is not"
              + " (default: ${DEFAULT-VALUE}).")
  private KeyPermissions keyPermissions = KeyPermissions.STRICT;

  /** Whether clients need a certificate. */
  boolean hasClientCa() {
    return clientCa != null;
  }

  /** Who may be able to read files with private keys. */
  KeyPermissions keyPermissions() {
    return keyPermissions;
  }

  /**
   * Returns what serves; null for plain text. Reads the files.
   *
   * @throws dev.waymark.config.ConfigException with a line for each that cannot be used
   */
  @Nullable SslContext context() {
    if (certificate == null) {
      if (key != null || clientCa != null) {
        throw refused("--tls-key and --tls-client-ca need --tls-certificate");
      }
      return null;
    }
    ServerTlsConfig config = config(certificate);
    TlsFileFlags flags =
        new TlsFileFlags()
            .with("--tls-certificate", certificate)
            .with("--tls-key", key)
            .with("--tls-client-ca", clientCa);
    List<TlsFileException> problems = TlsFileCheck.of(config, Clock.now());
    if (!problems.isEmpty()) {
      throw flags.refusal(problems);
    }
    try {
      return ServerTls.context(config, Clock.now());
    } catch (TlsFileException changed) {
      throw flags.refusal(List.of(changed));
    }
  }

  private ServerTlsConfig config(Path ownCertificate) {
    return new ServerTlsConfig(
        "bridges",
        List.of(new CertificateFiles(ownCertificate, key == null ? ownCertificate : key)),
        keyPermissions,
        Engine.AUTO,
        "TLSv1.2",
        List.of("h2"),
        Optional.empty(),
        clientCa == null
            ? ClientCertificates.NONE
            : new ClientCertificates(
                ClientAuth.REQUIRED, Optional.of(clientCa), Optional.empty(), false),
        Duration.ZERO);
  }

  private ParameterException refused(String message) {
    if (spec == null) {
      throw new IllegalStateException("picocli sets the spec");
    }
    return new ParameterException(spec.commandLine(), message);
  }
}
