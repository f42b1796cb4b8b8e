package dev.waymark.config;

import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;

/**
 * The admin port. Immutable.
 *
 * @param hosts names that requests may carry in their Host header, besides IP addresses, {@code
 *     localhost} and names below it, and names without a dot; {@code *.example.com} is every name
 *     below example.com
 * @param tokens required of everybody if present; empty: nobody needs a token on a loopback
 *     address, and nobody has one elsewhere
 * @param tls empty: plain HTTP
 */
public record AdminConfig(
    InetSocketAddress address,
    List<String> hosts,
    Optional<AdminTokens> tokens,
    Optional<AdminTls> tls) {
  public AdminConfig {
    hosts = List.copyOf(hosts);
  }
}
