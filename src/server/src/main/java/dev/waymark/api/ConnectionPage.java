package dev.waymark.api;

import java.util.List;

/**
 * Some of the open connections. Immutable.
 *
 * @param total how many there are, told here or not
 */
public record ConnectionPage(long total, List<ConnectionView> connections) {
  public ConnectionPage {
    connections = List.copyOf(connections);
  }
}
