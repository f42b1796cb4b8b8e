package dev.waymark.core;

import java.util.Map;

/**
 * One upstream of a pool, as the control plane sees it now. Immutable.
 *
 * @param address host:port or unix:path; its identity within the pool and its metric label
 * @param isServing new connections may be given to it
 * @param health for people: SERVING, NOT_SERVING, UNKNOWN, SERVICE_UNKNOWN, UNIMPLEMENTED or
 *     UNREACHABLE
 * @param weight its share relative to the others, from 1
 * @param labels from the configuration
 */
public record UpstreamView(
    String address, boolean isServing, String health, int weight, Map<String, String> labels) {
  public UpstreamView {
    labels = Map.copyOf(labels);
  }
}
