package dev.waymark.api;

import java.util.List;

/**
 * Some or all of the open connections. Immutable.
 *
 * @param total number of open connections, including those not listed here
 */
public record ConnectionPage(long total, List<ConnectionView> connections) {
  public ConnectionPage {
    connections = List.copyOf(connections);
  }
}
