package dev.waymark.cli;

import dev.waymark.bridge.Clock;
import dev.waymark.config.BadValueException;
import dev.waymark.config.CertificateFiles;
import dev.waymark.config.ClientTlsConfig;
import dev.waymark.config.ConfigException;
import dev.waymark.config.PoolConfig.Registry;
import dev.waymark.config.RegistryAddress;
import dev.waymark.config.TlsKeys.Engine;
import dev.waymark.config.TlsKeys.KeyPermissions;
import dev.waymark.config.TokenFile;
import dev.waymark.net.tls.TlsFileCheck;
import dev.waymark.net.tls.TlsFileException;
import dev.waymark.tools.directory.StoreOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The flags of a directory that shares what is registered through etcd. */
final class StoreFlags {
  @Option(
      names = "--store",
      paramLabel = "TARGET",
      description =
          "Share what is registered with other directories: etcd://HOST:PORT[,HOST:PORT]/PREFIX.")
  private @Nullable String target;

  @Option(names = "--store-tls", description = "Speak TLS to etcd, and verify it.")
  private boolean isTls;

  @Option(
      names = "--store-ca",
      paramLabel = "FILE",
      description =
          "The CAs that etcd's certificate may come from (PEM; default: those of the JDK).")
  private @Nullable Path ca;

  @Option(
      names = "--store-certificate",
      paramLabel = "FILE",
      description = "The certificate to present to etcd (PEM). Read for each connection.")
  private @Nullable Path certificate;

  @Option(
      names = "--store-key",
      paramLabel = "FILE",
      description = "Its private key (PEM; default: in the certificate's file).")
  private @Nullable Path key;

  @Option(
      names = "--store-username",
      paramLabel = "NAME",
      description = "The user as whom to log in to etcd.")
  private @Nullable String username;

  @Option(
      names = "--store-password-file",
      paramLabel = "FILE",
      description = "File with that user's password. Read at each login.")
  private @Nullable Path passwordFile;

  /** Empty if there is no store. Reads the files once, so that a mistake is found at the start. */
  Optional<StoreOptions> options(FlagValues values, KeyPermissions permissions) {
    if (target == null) {
      if (isTls
          || ca != null
          || certificate != null
          || key != null
          || username != null
          || passwordFile != null) {
        throw values.refused("--store-… needs --store");
      }
      return Optional.empty();
    }
    if ((username == null) != (passwordFile == null)) {
      throw values.refused("--store-username and --store-password-file need each other");
    }
    checkPassword(values);
    return Optional.of(
        new StoreOptions(
            etcd(values, target),
            tls(values, permissions),
            username == null ? "" : username,
            Optional.ofNullable(passwordFile)));
  }

  private void checkPassword(FlagValues values) {
    try {
      var _ = Optional.ofNullable(passwordFile).map(TokenFile::password);
    } catch (ConfigException unusable) {
      throw values.refused("--store-password-file: " + unusable.getMessage());
    }
  }

  private static RegistryAddress etcd(FlagValues values, String text) {
    try {
      RegistryAddress address = RegistryAddress.read(text);
      if (address.registry() == Registry.ETCD) {
        return address;
      }
    } catch (BadValueException bad) {
      throw values.refused("--store: " + text + " (expected: " + bad.expected() + ")");
    }
    throw values.refused("--store: " + text + " (expected: etcd://HOST:PORT[,HOST:PORT]/PREFIX)");
  }

  private Optional<ClientTlsConfig> tls(FlagValues values, KeyPermissions permissions) {
    if (!isTls) {
      if (ca != null || certificate != null || key != null) {
        throw values.refused("--store-ca, --store-certificate and --store-key need --store-tls");
      }
      return Optional.empty();
    }
    if (key != null && certificate == null) {
      throw values.refused("--store-key needs --store-certificate");
    }
    ClientTlsConfig config =
        new ClientTlsConfig(
            "store",
            Optional.ofNullable(ca),
            Optional.ofNullable(certificate)
                .map(file -> new CertificateFiles(file, key == null ? file : key)),
            permissions,
            Engine.AUTO,
            Optional.of("h2"),
            Optional.empty(),
            List.of());
    List<TlsFileException> problems = TlsFileCheck.of(config, Clock.now());
    if (!problems.isEmpty()) {
      throw new TlsFileFlags()
          .with("--store-ca", ca)
          .with("--store-certificate", certificate)
          .with("--store-key", key)
          .refusal(problems);
    }
    return Optional.of(config);
  }
}
