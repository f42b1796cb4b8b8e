package dev.waymark.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The keys of a listener for TLS, which is on where it has certificates. Immutable. */
public final class TlsKeys {
  /** What speaks TLS. */
  public enum Engine {
    /** BoringSSL where its library loads, else the JDK's. */
    AUTO,
    BORINGSSL,
    JDK
  }

  /** Whether clients present a certificate. */
  public enum ClientAuth {
    NONE,
    OPTIONAL,
    REQUIRED
  }

  /** What a FIN without a close_notify means. */
  public enum MissingCloseNotify {
    /** The connection is lost, because anybody on the path can send a FIN. */
    LOST,
    /** The end of the client's stream, as for clients that never send close_notify. */
    END
  }

  /** Who may be able to read the files with private keys. */
  public enum KeyPermissions {
    /** Their owner and group. */
    STRICT,
    ANY
  }

  static final KeyGroup<ListenerConfig> CERTIFICATES =
      new KeyGroup<>("TLS certificates", Scope.CERTIFICATE, "");

  static final Key<ListenerConfig, Path> CERTIFICATE =
      CERTIFICATES
          .key("certificate", ValueType.path())
          .required()
          .readByHand()
          .flag("--tls-certificate")
          .example("/etc/waymark/tls.crt")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "File with a certificate and those of the CAs between it and the root, as PEM. Its names choose the certificate by SNI; the first entry is the default. The file is watched.");

  static final Key<ListenerConfig, Path> KEY =
      CERTIFICATES
          .key("key", ValueType.path())
          .readByHand()
          .flag("--tls-key")
          .example("/etc/waymark/tls.key")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "File with the private key, as PEM. Default: the key is in the certificate's file. The file is watched.");

  static final KeyGroup<ListenerConfig> GROUP = new KeyGroup<>("TLS", Scope.LISTENER, "tls.");

  public static final Key<ListenerConfig, ClientAuth> CLIENT_AUTH =
      GROUP
          .key("client-auth", ValueType.word(ClientAuth.class))
          .byDefault("none")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "Whether clients present a certificate. optional: a client may do without one, but one that it presents must be valid.");

  public static final Key<ListenerConfig, Optional<Path>> CLIENT_CA =
      GROUP
          .key("client-ca", ValueType.optionalPath())
          .orElse(Optional.empty())
          .example("/etc/waymark/clients-ca.pem")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "File with the CAs that clients' certificates may come from, as PEM. Required with client-auth optional or required. The file is watched.");

  public static final Key<ListenerConfig, Optional<Path>> CLIENT_CRL =
      GROUP
          .key("client-crl", ValueType.optionalPath())
          .orElse(Optional.empty())
          .example("/etc/waymark/clients-crl.pem")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "File with the certificate revocation lists of these CAs, as PEM: one for each CA. The file is watched.");

  public static final Key<ListenerConfig, Boolean> RECHECK_CLIENTS =
      GROUP
          .key("recheck-clients", ValueType.onOff())
          .byDefault("on")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "Whether an open connection ends when its client's certificate expires, is revoked, or is no longer trusted.");

  public static final Key<ListenerConfig, String> VERSION_MIN =
      GROUP
          .key("version-min", ValueType.word(versions()))
          .byDefault("1.2")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning("The oldest version of TLS that clients may speak.");

  public static final Key<ListenerConfig, List<String>> ALPN =
      GROUP
          .key("alpn", ValueType.protocolNames())
          .orElse(List.of())
          .example("mqtt")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "Protocols to choose from by ALPN, the preferred one first. A client that offers only others is refused; one that offers none is not.");

  public static final Key<ListenerConfig, Optional<Path>> TICKET_KEYS =
      GROUP
          .key("ticket-keys", ValueType.optionalPath())
          .orElse(Optional.empty())
          .example("/etc/waymark/ticket-keys")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "File with the keys of session tickets, which a fleet may share: one line of 64 base64 characters each. The first seals tickets, the others only open them. Needs BoringSSL. Default: keys of this process alone. The file is watched.");

  public static final Key<ListenerConfig, Duration> HANDSHAKE_TIMEOUT =
      GROUP
          .key("handshake-timeout", ValueType.duration("5m"))
          .byDefault("10s")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning("How long the handshake may take, from the accept or the PROXY header on.");

  public static final Key<ListenerConfig, Integer> HANDSHAKES_MAX =
      GROUP
          .key("handshakes-max", ValueType.number(1, 1_000_000))
          .byDefault("10000")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "Handshakes under way at a time. Beyond the limit, the client that has been silent longest is closed, or else the new one.");

  public static final Key<ListenerConfig, MissingCloseNotify> MISSING_CLOSE_NOTIFY =
      GROUP
          .key("missing-close-notify", ValueType.word(MissingCloseNotify.class))
          .byDefault("lost")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "What a FIN without TLS's close_notify means. lost: the connection is lost, because anybody on the path can send a FIN. end: the end of the client's stream.");

  public static final Key<ListenerConfig, Engine> ENGINE =
      GROUP
          .key("engine", ValueType.word(Engine.class))
          .byDefault("auto")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "What speaks TLS. auto: BoringSSL where its library loads, else the JDK. Only the JDK, with TLS 1.3, lets the bridge reply after the client's close_notify.");

  public static final Key<ListenerConfig, KeyPermissions> KEY_PERMISSIONS =
      GROUP
          .key("key-permissions", ValueType.word(KeyPermissions.class))
          .byDefault("strict")
          .onReload(OnReload.NEW_CONNECTIONS)
          .meaning(
              "strict: a file with a private key that everybody may read is refused. any: it is not.");

  private TlsKeys() {}

  static Map<String, String> versions() {
    Map<String, String> versions = new LinkedHashMap<>();
    versions.put("1.2", "TLSv1.2");
    versions.put("1.3", "TLSv1.3");
    return versions;
  }
}
