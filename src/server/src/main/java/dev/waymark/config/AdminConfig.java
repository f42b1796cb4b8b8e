package dev.waymark.config;

import java.net.InetSocketAddress;
import java.util.List;

/**
 * The admin port. Immutable.
 *
 * @param hosts names that requests may carry in their Host header, besides IP addresses, {@code
 *     localhost} and names below it, and names without a dot; {@code *.example.com} is every name
 *     below example.com
 */
public record AdminConfig(InetSocketAddress address, List<String> hosts) {
  public AdminConfig {
    hosts = List.copyOf(hosts);
  }
}
