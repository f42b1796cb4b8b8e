package dev.waymark.config;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The keys of a pool for TLS between the bridge and its upstreams. Immutable. */
public final class UpstreamTlsKeys {
  /** Whether lanes and health checks use TLS. */
  public enum Mode {
    OFF,
    REQUIRED
  }

  static final KeyGroup<PoolConfig> GROUP = new KeyGroup<>("TLS to upstreams", Scope.POOL, "tls.");

  public static final Key<PoolConfig, Mode> MODE =
      GROUP
          .key("mode", ValueType.word(Mode.class))
          .byDefault("off")
          .onReload(OnReload.AT_ONCE)
          .meaning("required: lanes and health checks use TLS, and the upstream is verified.");

  public static final Key<PoolConfig, Optional<Path>> CA =
      GROUP
          .key("ca", ValueType.optionalPath())
          .orElse(Optional.empty())
          .example("/etc/waymark/upstreams-ca.pem")
          .onReload(OnReload.AT_ONCE)
          .meaning(
              "File with the CAs that upstreams' certificates may come from, as PEM. Default: those of the JDK. The file is watched.");

  public static final Key<PoolConfig, Optional<Path>> CERTIFICATE =
      GROUP
          .key("certificate", ValueType.optionalPath())
          .orElse(Optional.empty())
          .example("/etc/waymark/bridge.crt")
          .onReload(OnReload.AT_ONCE)
          .meaning(
              "File with the certificate that the bridge presents to upstreams, and those of the CAs between it and the root, as PEM. The file is watched.");

  public static final Key<PoolConfig, Optional<Path>> KEY =
      GROUP
          .key("key", ValueType.optionalPath())
          .orElse(Optional.empty())
          .example("/etc/waymark/bridge.key")
          .onReload(OnReload.AT_ONCE)
          .meaning(
              "File with its private key, as PEM. Default: the key is in the certificate's file. The file is watched.");

  public static final Key<PoolConfig, TlsKeys.KeyPermissions> KEY_PERMISSIONS =
      GROUP
          .key("key-permissions", ValueType.word(TlsKeys.KeyPermissions.class))
          .byDefault("strict")
          .onReload(OnReload.AT_ONCE)
          .meaning(
              "strict: a file with a private key that everybody may read is refused. any: it is not.");

  public static final Key<PoolConfig, Optional<String>> SERVER_NAME =
      GROUP
          .key("server-name", ValueType.serverName())
          .orElse(Optional.empty())
          .example("echo.internal")
          .onReload(OnReload.AT_ONCE)
          .meaning(
              "Name that the bridge asks for by SNI, and that the upstream's certificate must have. Default: the host in the target, or in the upstream's address.");

  public static final Key<PoolConfig, List<String>> PEER_NAMES =
      GROUP
          .key("peer-names", ValueType.peerNames())
          .orElse(List.of())
          .example("spiffe://example.org/echo")
          .onReload(OnReload.AT_ONCE)
          .meaning(
              "Names of which the upstream's certificate must have one, in place of the server's name: DNS names, or SPIFFE IDs, which may end in /* for all below.");

  private UpstreamTlsKeys() {}

  /** Every key of a pool's TLS. */
  public static List<Key<PoolConfig, ?>> all() {
    return GROUP.keys();
  }
}
