package dev.waymark.config;

import dev.waymark.config.TlsKeys.KeyPermissions;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The keys of the admin port for TLS, which is on where it has a certificate. Immutable. */
final class AdminTlsKeys {
  static final KeyGroup<BridgeConfig> GROUP =
      new KeyGroup<>("TLS on the admin port", Scope.BRIDGE, "admin.tls.");

  static final Key<BridgeConfig, Optional<Path>> CERTIFICATE =
      GROUP
          .key("certificate", ValueType.optionalPath())
          .orElse(Optional.empty())
          .flag("--admin-tls-certificate")
          .example("/etc/waymark/admin.crt")
          .meaning(
              "File with the certificate of the admin port, and those of the CAs between it and the root, as PEM. With it, the port speaks TLS only, through the JDK's engine. The file is watched.");

  static final Key<BridgeConfig, Optional<Path>> KEY =
      GROUP
          .key("key", ValueType.optionalPath())
          .orElse(Optional.empty())
          .flag("--admin-tls-key")
          .example("/etc/waymark/admin.key")
          .meaning(
              "File with its private key, as PEM. Default: the key is in the certificate's file. The file is watched.");

  static final Key<BridgeConfig, KeyPermissions> KEY_PERMISSIONS =
      GROUP
          .key("key-permissions", ValueType.word(KeyPermissions.class))
          .byDefault("strict")
          .meaning(
              "strict: a file with a private key that everybody may read is refused. any: it is not.");

  static final Key<BridgeConfig, String> VERSION_MIN =
      GROUP
          .key("version-min", ValueType.word(TlsKeys.versions()))
          .byDefault("1.2")
          .meaning("The oldest version of TLS that the admin port speaks.");

  static final Key<BridgeConfig, Optional<Path>> CLIENT_CA =
      GROUP
          .key("client-ca", ValueType.optionalPath())
          .orElse(Optional.empty())
          .example("/etc/waymark/operators-ca.pem")
          .meaning(
              "File with the CAs that clients' certificates may come from, as PEM. With it, a client certificate is asked for, and serves in place of a token if it has one of the names below; one that is not valid ends the connection. Needed on loopback addresses, too, as with admin.tokens. The file is watched.");

  static final Key<BridgeConfig, Optional<Path>> CLIENT_CRL =
      GROUP
          .key("client-crl", ValueType.optionalPath())
          .orElse(Optional.empty())
          .example("/etc/waymark/operators-crl.pem")
          .meaning(
              "File with the certificate revocation lists of these CAs, as PEM: one for each CA. The file is watched.");

  static final Key<BridgeConfig, List<String>> READ_NAMES =
      GROUP
          .key("read-names", ValueType.peerNames())
          .orElse(List.of())
          .example("spiffe://example.org/monitoring/*")
          .onReload(OnReload.AT_ONCE)
          .meaning(
              "Whose client certificates have the role read: DNS names, or SPIFFE IDs, which may end in /* for all below.");

  static final Key<BridgeConfig, List<String>> OPERATE_NAMES =
      GROUP
          .key("operate-names", ValueType.peerNames())
          .orElse(List.of())
          .example("spiffe://example.org/operators/*")
          .onReload(OnReload.AT_ONCE)
          .meaning("Whose client certificates have the role operate, which includes read.");

  private AdminTlsKeys() {}
}
