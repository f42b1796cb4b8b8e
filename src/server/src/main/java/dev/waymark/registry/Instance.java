package dev.waymark.registry;

import java.util.Map;

/**
 * One instance of a service as it was registered; service and address identify it. Immutable.
 *
 * @param service the name under which others look for it
 * @param address host:port, IPv6 in brackets, or unix:/path
 * @param weight its share of new work relative to the others, 1 to 1000
 * @param priority from 0; it gets work only while no instance with a lower number serves
 */
public record Instance(
    String service,
    String address,
    int weight,
    int priority,
    Map<String, String> labels,
    Health health,
    LoadReport load) {
  /** What its node says of it. */
  public enum Health {
    HEALTHY,
    /** Serves what it has, and wants nothing new. */
    DRAINING,
    /** Must not be used. */
    UNHEALTHY
  }

  public Instance {
    labels = Map.copyOf(labels);
  }

  public InstanceKey key() {
    return new InstanceKey(service, address);
  }

  /** A copy with another load. */
  public Instance withLoad(LoadReport other) {
    return new Instance(service, address, weight, priority, labels, health, other);
  }
}
