package dev.waymark.config;

import java.net.InetSocketAddress;
import java.util.List;

/**
 * The admin port. Immutable.
 *
 * @param hosts names by which it may be asked for (the header Host), besides IP addresses,
 *     `localhost` and names without a dot; `*.example.com` is every name below example.com
 */
public record AdminConfig(InetSocketAddress address, List<String> hosts) {
  public AdminConfig {
    hosts = List.copyOf(hosts);
  }
}
