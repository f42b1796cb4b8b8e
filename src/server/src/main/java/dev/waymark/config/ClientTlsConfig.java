package dev.waymark.config;

import dev.waymark.config.TlsKeys.Engine;
import dev.waymark.config.TlsKeys.KeyPermissions;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The client's side of TLS: between the bridge and the upstreams of a pool, or between an egress
 * and its server. Immutable.
 *
 * @param name of the pool, for events
 * @param ca the CAs that servers' certificates may come from; empty: those of the JDK
 * @param identity what the client proves to be; empty: nothing
 * @param alpn the protocol to ask for; empty: no ALPN
 * @param serverName what the server is asked to be, and what its certificate must say; empty: the
 *     host that is dialled
 * @param peerNames of which the server's certificate must have one, in place of the server's name;
 *     empty: the server's name counts
 */
public record ClientTlsConfig(
    String name,
    Optional<Path> ca,
    Optional<CertificateFiles> identity,
    KeyPermissions keyPermissions,
    Engine engine,
    Optional<String> alpn,
    Optional<String> serverName,
    List<String> peerNames) {
  public ClientTlsConfig {
    peerNames = List.copyOf(peerNames);
  }
}
