package dev.waymark.bridge;

import dev.waymark.api.ConnectionQuery;
import dev.waymark.engine.connection.ConnectionStatus;
import dev.waymark.net.admission.Network;
import java.net.InetAddress;
import java.util.Optional;
import java.util.function.Predicate;

/** Finds the connections that a query asks for, except by mark. Immutable. */
record ConnectionFilter(ConnectionQuery query) implements Predicate<ConnectionStatus> {
  @Override
  public boolean test(ConnectionStatus status) {
    return (query.listener() == null || query.listener().equals(status.listener()))
        && (query.pool() == null || query.pool().equals(status.pool()))
        && (query.upstream() == null || query.upstream().equals(status.upstream()))
        && (query.source() == null || isFrom(query.source(), status.clientAddress()));
  }

  private static boolean isFrom(Network network, String hostAndPort) {
    return address(hostAndPort).filter(network::contains).isPresent();
  }

  /** Empty for a client that has no IP address, such as the unix: path that a proxy named. */
  private static Optional<InetAddress> address(String hostAndPort) {
    int end = hostAndPort.lastIndexOf(':');
    String host = end < 0 ? hostAndPort : hostAndPort.substring(0, end);
    if (host.startsWith("[") && host.endsWith("]")) {
      // Without the zone of a link-local address, which may not exist here.
      host = host.substring(1, host.length() - 1).replaceFirst("%.*", "");
    }
    try {
      return Optional.of(InetAddress.ofLiteral(host));
    } catch (IllegalArgumentException other) {
      return Optional.empty();
    }
  }
}
