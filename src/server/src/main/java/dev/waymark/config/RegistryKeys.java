package dev.waymark.config;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The keys of reaching the registry that a pool's target names. Immutable. */
public final class RegistryKeys {
  static final KeyGroup<PoolConfig> GROUP =
      new KeyGroup<>("Registry of a target", Scope.POOL, "registry.");

  public static final Key<PoolConfig, UpstreamTlsKeys.Mode> TLS =
      GROUP
          .key("tls", ValueType.word(UpstreamTlsKeys.Mode.class))
          .byDefault("off")
          .onReload(OnReload.AT_ONCE)
          .meaning("required: TLS to the registry, whose certificate is verified.");

  public static final Key<PoolConfig, Optional<Path>> CA =
      GROUP
          .key("ca", ValueType.optionalPath())
          .orElse(Optional.empty())
          .example("/etc/waymark/registry-ca.pem")
          .onReload(OnReload.AT_ONCE)
          .meaning(
              "File with the CAs that its certificate may come from, as PEM. Default: those of the JDK. Read for each connection.");

  public static final Key<PoolConfig, Optional<Path>> CERTIFICATE =
      GROUP
          .key("certificate", ValueType.optionalPath())
          .orElse(Optional.empty())
          .example("/etc/waymark/bridge.crt")
          .onReload(OnReload.AT_ONCE)
          .meaning(
              "File with the certificate that the bridge presents to it, as PEM. Read for each connection.");

  public static final Key<PoolConfig, Optional<Path>> KEY =
      GROUP
          .key("key", ValueType.optionalPath())
          .orElse(Optional.empty())
          .example("/etc/waymark/bridge.key")
          .onReload(OnReload.AT_ONCE)
          .meaning(
              "File with its private key, as PEM. Default: the key is in the certificate's file. Read for each connection.");

  public static final Key<PoolConfig, Optional<String>> SERVER_NAME =
      GROUP
          .key("server-name", ValueType.serverName())
          .orElse(Optional.empty())
          .example("directory.internal")
          .onReload(OnReload.AT_ONCE)
          .meaning("Name that its certificate must have. Default: the host in the target.");

  public static final Key<PoolConfig, String> USERNAME =
      GROUP
          .key("username", ValueType.text(0, 253))
          .byDefault("")
          .onReload(OnReload.AT_ONCE)
          .meaning("The user as whom to read etcd. Empty: without authentication.");

  public static final Key<PoolConfig, Optional<Path>> PASSWORD_FILE =
      GROUP
          .key("password-file", ValueType.optionalPath())
          .orElse(Optional.empty())
          .example("/etc/waymark/etcd-password")
          .onReload(OnReload.AT_ONCE)
          .meaning("File with that user's password. Read at each login.");

  public static final Key<PoolConfig, Optional<Path>> TOKEN_FILE =
      GROUP
          .key("token-file", ValueType.optionalPath())
          .orElse(Optional.empty())
          .example("/etc/waymark/directory-token")
          .onReload(OnReload.AT_ONCE)
          .meaning(
              "File with the bearer token that a directory or control plane asks for. Read for each call.");

  /** Those that only count with TLS. */
  static final List<Key<PoolConfig, ?>> OF_TLS = List.of(CA, CERTIFICATE, KEY, SERVER_NAME);

  private RegistryKeys() {}

  /** How TLS is spoken to the registry of this pool's target; empty: plain text. */
  static Optional<ClientTlsConfig> tls(PoolConfig pool) {
    if (pool.get(TLS) == UpstreamTlsKeys.Mode.OFF) {
      return Optional.empty();
    }
    Optional<CertificateFiles> identity =
        pool.get(CERTIFICATE)
            .map(certificate ->
                new CertificateFiles(certificate, pool.get(KEY).orElse(certificate)));
    return Optional.of(
        new ClientTlsConfig(
            pool.name(),
            pool.get(CA),
            identity,
            pool.get(UpstreamTlsKeys.KEY_PERMISSIONS),
            TlsKeys.Engine.AUTO,
            Optional.of("h2"),
            pool.get(SERVER_NAME),
            List.of()));
  }

  /** Every key of reaching a registry. */
  public static List<Key<PoolConfig, ?>> all() {
    return GROUP.keys();
  }
}
