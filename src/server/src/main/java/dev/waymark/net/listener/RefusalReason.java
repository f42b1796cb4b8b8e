package dev.waymark.net.listener;

import dev.waymark.net.admission.Verdict;
import java.util.Locale;

/**
 * Why a client was closed before it became a connection: it has no mark and no line in the access
 * log. A label of {@code waymark_connections_refused_total}. Immutable.
 */
public enum RefusalReason {
  /** The listener has connections-max already. */
  CONNECTIONS_MAX,
  /** The client is in one of networks-denied, and in none of networks-allowed that is narrower. */
  NETWORK_DENIED,
  /** The client is in none of networks-allowed. */
  NETWORK_NOT_ALLOWED,
  /** The client's address, or IPv6 /64, has connections-per-source already. */
  SOURCE_CONNECTIONS,
  /** The client's address, or IPv6 /64, connects more often than accept-rate-per-source. */
  SOURCE_RATE,
  /** More clients connect than accept-rate. */
  ACCEPT_RATE,
  /** More clients connect than accept-rate allows so soon after the start, by accept-ramp. */
  ACCEPT_RAMP,
  /** The peer is in none of the networks in proxy-protocol.trusted. */
  PROXY_UNTRUSTED,
  /** The first bytes are not those of a PROXY header. */
  PROXY_HEADER_MISSING,
  /** A PROXY header that violates its specification. */
  PROXY_HEADER_INVALID,
  /** A PROXY header that is longer than allowed. */
  PROXY_HEADER_TOO_LONG,
  /** The peer closed its socket in the middle of a PROXY header. */
  PROXY_HEADER_INCOMPLETE,
  /** The CRC32C of a PROXY header is wrong. */
  PROXY_HEADER_CHECKSUM,
  /** The PROXY header was not complete within proxy-protocol.header-timeout. */
  PROXY_HEADER_TIMEOUT,
  /** The listener has tls.handshakes-max already. */
  TLS_HANDSHAKES_MAX,
  /** The first bytes are not those of TLS. */
  TLS_PLAINTEXT,
  /** The client's first message is longer than allowed. */
  TLS_HELLO_TOO_LONG,
  /** The client offers only protocols that are not in tls.alpn. */
  TLS_PROTOCOL_UNKNOWN,
  /** The client presented no certificate, and tls.client-auth is required. */
  TLS_CERTIFICATE_MISSING,
  /** The client's certificate has expired. */
  TLS_CERTIFICATE_EXPIRED,
  /** The client's certificate is in tls.client-crl. */
  TLS_CERTIFICATE_REVOKED,
  /** There is no path from the client's certificate to one of tls.client-ca. */
  TLS_CERTIFICATE_INVALID,
  /** The client does not accept the listener's certificate, and says so by an alert. */
  TLS_CERTIFICATE_REFUSED,
  /** Another failure, such as no version or cipher in common, or another alert of the client. */
  TLS_HANDSHAKE_FAILED,
  /** The client closed its socket before the end of the handshake. */
  TLS_HANDSHAKE_INCOMPLETE,
  /** The handshake was not complete within tls.handshake-timeout. */
  TLS_HANDSHAKE_TIMEOUT;

  private final String label = name().toLowerCase(Locale.ROOT);

  static RefusalReason of(Verdict.Why why) {
    return switch (why) {
      case NETWORK_DENIED -> NETWORK_DENIED;
      case NETWORK_NOT_ALLOWED -> NETWORK_NOT_ALLOWED;
      case SOURCE_CONNECTIONS -> SOURCE_CONNECTIONS;
      case SOURCE_RATE -> SOURCE_RATE;
      case ACCEPT_RATE -> ACCEPT_RATE;
      case ACCEPT_RAMP -> ACCEPT_RAMP;
    };
  }

  /** The lower-case form in logs and metric labels. */
  public String label() {
    return label;
  }
}
