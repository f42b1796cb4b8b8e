package dev.waymark.config;

import java.util.List;

/**
 * TLS on the admin port. Immutable.
 *
 * @param readers names in the certificates of clients with the role read
 * @param operators the same for the role operate
 */
public record AdminTls(ServerTlsConfig server, List<String> readers, List<String> operators) {
  public AdminTls {
    readers = List.copyOf(readers);
    operators = List.copyOf(operators);
  }

  /** Whether client certificates serve in place of tokens. */
  public boolean hasClientCertificates() {
    return server.clients().auth() != TlsKeys.ClientAuth.NONE;
  }
}
