package dev.waymark.net.listener;

import java.util.Locale;

/**
 * Why a client was closed before it became a connection: it has no mark and no line in the access
 * log. A label of {@code waymark_connections_refused_total}. Immutable.
 */
public enum RefusalReason {
  /** The listener has connections-max already. */
  CONNECTIONS_MAX,
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
  PROXY_HEADER_TIMEOUT;

  private final String label = name().toLowerCase(Locale.ROOT);

  /** The lower-case form in logs and metric labels. */
  public String label() {
    return label;
  }
}
