package dev.waymark.config;

import dev.waymark.config.TlsKeys.ClientAuth;
import dev.waymark.config.TlsKeys.Engine;
import dev.waymark.config.TlsKeys.KeyPermissions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The server's side of TLS, of a listener or of the admin port. Immutable.
 *
 * @param name of the listener, or of the port, for events
 * @param certificates the default first; not empty
 * @param versionMin as the JDK names it, such as TLSv1.2
 * @param alpn the protocols to choose from, the preferred one first; empty: no ALPN
 * @param ticketKeys empty: keys of this process alone
 * @param setupTimeout how long after the accept a handshake may still be under way
 */
public record ServerTlsConfig(
    String name,
    List<CertificateFiles> certificates,
    KeyPermissions keyPermissions,
    Engine engine,
    String versionMin,
    List<String> alpn,
    Optional<Path> ticketKeys,
    ClientCertificates clients,
    Duration setupTimeout) {
  /**
   * Which certificates clients present.
   *
   * @param ca present unless they present none
   * @param areRechecked whether a connection ends when its client is no longer trusted
   */
  public record ClientCertificates(
      ClientAuth auth, Optional<Path> ca, Optional<Path> crl, boolean areRechecked) {
    /** Clients present none. */
    public static final ClientCertificates NONE =
        new ClientCertificates(ClientAuth.NONE, Optional.empty(), Optional.empty(), false);
  }

  public ServerTlsConfig {
    certificates = List.copyOf(certificates);
    alpn = List.copyOf(alpn);
  }
}
