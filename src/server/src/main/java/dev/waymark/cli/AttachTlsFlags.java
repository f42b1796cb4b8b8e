package dev.waymark.cli;

import dev.waymark.config.TlsKeys.KeyPermissions;
import dev.waymark.net.tls.PrivateKeys;
import dev.waymark.net.tls.TlsFileException;
import io.grpc.netty.GrpcSslContexts;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import java.nio.file.Path;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The flags of upstreams that serve Attach over TLS. */
final class AttachTlsFlags {
  @Spec(Spec.Target.MIXEE)
  private @Nullable CommandSpec spec;

  @Option(
      names = "--tls-certificate",
      paramLabel = "FILE",
      description = "Serve bridges over TLS, with this certificate (PEM).")
  private @Nullable Path certificate;

  @Option(
      names = "--tls-key",
      paramLabel = "FILE",
      description = "Its private key (PEM, PKCS#8; default: in the certificate's file).")
  private @Nullable Path key;

  @Option(
      names = "--tls-client-ca",
      paramLabel = "FILE",
      description = "Serve only bridges with a certificate from one of these CAs (PEM).")
  private @Nullable Path clientCa;

  @Option(
      names = "--key-permissions",
      paramLabel = "WHO",
      defaultValue = "strict",
      description =
          "strict: a file with a private key that everybody may read is refused; any: it is not"
              + " (default: ${DEFAULT-VALUE}).")
  private KeyPermissions keyPermissions = KeyPermissions.STRICT;

  /** Who may be able to read files with private keys. */
  KeyPermissions keyPermissions() {
    return keyPermissions;
  }

  /** Returns what serves; null for plain text. */
  @Nullable SslContext context() {
    if (certificate == null) {
      if (key != null || clientCa != null) {
        throw refused("--tls-key and --tls-client-ca need --tls-certificate");
      }
      return null;
    }
    Path keyFile = key == null ? certificate : key;
    try {
      if (keyPermissions == KeyPermissions.STRICT) {
        PrivateKeys.refuseIfReadableByAll(keyFile);
      }
      SslContextBuilder builder = GrpcSslContexts.forServer(certificate.toFile(), keyFile.toFile());
      if (clientCa != null) {
        builder.trustManager(clientCa.toFile()).clientAuth(ClientAuth.REQUIRE);
      }
      return builder.build();
    } catch (TlsFileException open) {
      throw refused((key == null ? "--tls-certificate: " : "--tls-key: ") + open.problem());
    } catch (IllegalArgumentException | SSLException unusable) {
      throw refused(
          "--tls-certificate, --tls-key, --tls-client-ca: "
              + unusable.getMessage()
              + " (expected: PEM files; the key without a password, as PKCS#8)");
    }
  }

  private ParameterException refused(String message) {
    if (spec == null) {
      throw new IllegalStateException("picocli sets the spec");
    }
    return new ParameterException(spec.commandLine(), message);
  }
}
